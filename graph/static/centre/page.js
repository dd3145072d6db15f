var v,ar,Lt,se,Be,ke,dr,be,_r,He,Ge,ir,Ue=Symbol.for("pv"),Le={},Me=[],Mt=/^m(i|n|o|s|text|space)$/,We=Array.isArray,mr=Me.slice,pe=Object.assign;function ge(e){e&&e.parentNode&&e.remove()}function Ae(e,r,t,s,a){var n={type:e,props:r,key:t,ref:s,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Ue,__v:a||++ar,__i:-1,__u:0};return!a&&v.vnode&&v.vnode(n),n}function S(e){return e.children}function we(e,r){this.props=e,this.context=r,this.__g=0}function ne(e,r){if(r==null)return e.__&&ne(e.__,e.__i+1);for(var t;r<e.__k.length;r++)if((t=e.__k[r])&&t.__e)return t.__e;return typeof e.type!="function"||e.props.__P?null:ne(e)}function Dt(e){var r,t=e.__v,s=t.__e,a=[],n=[],_=e.__P;_&&((r=pe({constructor:Ue},t)).__v=t.__v+1,v.vnode&&v.vnode(r),Ke(_,r,t,e.__n,_.namespaceURI,32&t.__u?[s]:null,a,s||ne(t),32&t.__u,n),r.__v=t.__v,r.__.__k[r.__i]=r,fr(a,r,n),t.__=t.__e=null,r.__e!=s&&gr(r))}function gr(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(r){return r&&(e.__e=r.__e)}),gr(e)}function Qe(e){(8&e.__g||(e.__g|=8,se.push(e),ke++))&&Be==v.debounceRendering||((Be=v.debounceRendering)||queueMicrotask)(pr)}function pr(){try{for(var e,r=1;se.length;)se.length>r&&se.sort(dr),e=se.shift(),r=se.length,8&e.__g&&Dt(e)}finally{(ke=se.length)&&(Be||queueMicrotask)(pr)}}function ur(e,r,t,s,a,n,_,d,g,c,i){var u,p,m,y,R,E,C=s.__k||Me,f=r.length;for(g=Pt(t,r,C,g,f),u=0;u<f;u++)(m=t.__k[u])!=null&&(p=~m.__i&&C[m.__i]||Le,m.__i=u,E=Ke(e,m,p,a,n,_,d,g,c,i),y=m.__e,(p.ref!=m.ref||8&p.__u)&&(p.ref&&Ve(p.ref,null,m,p),m.ref&&i.push(m.ref,m.__c||y,m)),R=R||y,4&m.__u?(g=cr(m,g,e,!p.__v),p.__e&&(p.__e=null)):typeof m.type=="function"&&E!==void 0?g=E:y&&(g=y.nextSibling),m.__u&=-21);return t.__e=R,g}function Pt(e,r,t,s,a){var n,_,d,g,c,i,u,p,m,y=t.length,R=y,E=0,C=0,f=e.__k=Array(a);for(n=0;n<a;n++)(_=r[n])!=null&&typeof _!="boolean"&&typeof _!="function"?(typeof _!="object"||_.constructor===String?_=f[n]=Ae(null,_):We(_)?_=f[n]=Ae(S,{children:_}):_.constructor===Ue&&_.__b?_=f[n]=Ae(_.type,_.props,_.key,_.ref,_.__v):f[n]=_,g=n+E,_.__=e,_.__b=e.__b+1,d=null,~(c=_.__i=xt(_,t,g,R))&&(R--,(d=t[c])&&(d.__u|=2)),d&&d.__v?(_.__u|=16,c==g-1?E--:c==g+1?E++:c!=g&&(c>g?E--:E++,C=1)):(~c||(a>y?E--:a<y&&E++),typeof _.type!="function"&&(_.__u|=4))):f[n]=null;if(C){for(i=[],u=[],n=0;n<a;n++)if((_=f[n])&&16&_.__u){for(E=0,p=i.length;E<p;)i[m=E+p>>1]<_.__i?E=m+1:p=m;i[E]=_.__i,u[n]=E+1}for(E=i.length;n--;)u[n]&&(u[n]==E?E--:f[n].__u|=4)}if(R)for(n=0;n<y;n++)!(d=t[n])||2&d.__u||(d.__e==s&&(s=ne(d)),Ye(d,d));return s}function cr(e,r,t,s){var a,n,_,d;if(typeof e.type=="function"){if(e.props.__P)return r;if(a=e.__k)for(n=0;n<a.length;n++)a[n]&&(a[n].__=e,r=cr(a[n],r,t,!1));return r}for(r&&!r.parentNode&&(r=ne(e))&&!r.parentNode&&(r=null),_=e.__e,d=r;d&&d.nodeType==8;)d=d.nextSibling;for(_!=d&&(!s&&t.moveBefore&&_.parentNode?t.moveBefore(_,r):t.insertBefore(_,r||null)),r=_;(r=r&&r.nextSibling)&&r.nodeType==8&&!r.data.startsWith("$s"););return r}function xt(e,r,t,s){var a,n=e.key,_=e.type,d=r[t],g=d&&!(2&d.__u);if(d===null&&n==null||g&&n==d.key&&_==d.type)return t;if(s>(g?1:0)){for(a=t-1;a>=0;a--)if((d=r[a])&&!(2&d.__u)&&n==d.key&&_==d.type)return a;for(a=t+1;a<r.length;a++)if((d=r[a])&&!(2&d.__u)&&n==d.key&&_==d.type)return a}return-1}function nr(e,r,t){t==null&&(t=""),r[0]=="-"?e.setProperty(r,t):e[r]=t}function Te(e,r,t,s,a){var n,_;if(r=="style")if(typeof t=="string")e.style.cssText=t;else{if(typeof s=="string"&&(e.style.cssText=s=""),s)for(r in s)t&&r in t||nr(e.style,r);if(t)for(r in t)s&&t[r]==s[r]||nr(e.style,r,t[r])}else if(r[0]=="o"&&r[1]=="n")typeof t!="function"&&(t=null),typeof s!="function"&&(s=null),(e.__e||(e.__e={}))[r]=t,t&&s||(_=Ge[r]||(Ge[r]=Bt(r)),(e.__a||(e.__a={}))[r]=He,n=r!=(r=r.replace(_r,"$1")),(r=r.slice(2))[0]<"a"&&(r=r.toLowerCase()),t?e.addEventListener(r,_,n):e.removeEventListener(r,_,n));else{if(a=="http://www.w3.org/2000/svg")r=r.replace(/xlink(H|:h)/,"h").replace(/sName$/,"s");else if(r!="width"&&r!="height"&&r!="href"&&r!="list"&&r!="form"&&r!="tabIndex"&&r!="download"&&r!="rowSpan"&&r!="colSpan"&&r!="role"&&r!="popover"&&r in e)try{return void(e[r]=t??"")}catch{}if(typeof t=="function")return;t==null||t===!1&&r[4]!="-"?e.removeAttribute(r):e.setAttribute(r,r=="popover"&&t==1?"":t)}}function Bt(e){return function(r){var t=this.__e;if(t){if(t=t[e],r[be]==null)r[be]=He++;else if(r[be]<this.__a[e])return;return t(v.event?v.event(r):r)}}}function Ke(e,r,t,s,a,n,_,d,g,c){var i,u,p,m,y,R,E,C,f,U,h,V,L,w,Q,l,B,X,z=r.type;if(r.constructor!==Ue)return null;128&t.__u&&(g=32&t.__u,i=t.__c.__z)&&(r.__u|=g,u=n=[],i.nodeType==8?d=ve(i,n):n.push(i),d=n[0]||d),(i=v.__b)&&i(r);e:if(typeof z=="function"){p=_.length;try{if(C=r.props,f=(i=z.prototype)&&i.render,U=(i=z.contextType)&&s[i.__c],h=i?U?U.props.value:i.__:s,(m=t.__c)?(r.__c=m,2&m.__g&&(m.__g|=1)):(f?r.__c=m=new z(C,h):(r.__c=m=new we(C,h),m.constructor=z,m.render=Qt),U&&U.sub(m),m.state||(m.state={}),m.__n=s,m.__g|=8,m.__h=[],m.__k=[]),f&&(m.__s||(m.__s=m.state),z.getDerivedStateFromProps&&(m.__s==m.state&&(m.__s=pe({},m.__s)),pe(m.__s,z.getDerivedStateFromProps(C,m.__s)))),y=m.props,R=m.state,m.__v=r,t.__c){if(C!==y&&f&&!z.getDerivedStateFromProps&&m.componentWillReceiveProps&&m.componentWillReceiveProps(C,h),r.__v==t.__v&&!(8&m.__g)||!(4&m.__g)&&m.shouldComponentUpdate&&m.shouldComponentUpdate(C,m.__s,h)===!1){r.__v!=t.__v&&(m.props=C,m.state=m.__s,m.__g&=-9),r.__e=t.__e,r.__k=t.__k,r.__k.some(function(H){H&&(H.__=r)}),Me.push.apply(m.__h,m.__k),m.__k=[],m.__h.length&&_.push(m),d=ne(t);break e}m.componentWillUpdate&&m.componentWillUpdate(C,m.__s,h),f&&m.componentDidUpdate&&m.__h.push(function(){m.componentDidUpdate(y,R,E)})}else f&&!z.getDerivedStateFromProps&&m.componentWillMount&&m.componentWillMount(),f&&m.componentDidMount&&m.__h.push(m.componentDidMount);m.context=h,m.props=C,m.__P=e,m.__g&=-5,V=v.__r,L=f?25:0;do m.__g&=-9,V&&V(r),i=m.render(m.props,m.state=m.__s,m.context);while(8&m.__g&&++L<25);f&&(Me.push.apply(m.__h,m.__k),m.__k=[]),m.state=m.__s,m.getChildContext&&(s=pe({},s,m.getChildContext())),f&&t.__c&&m.getSnapshotBeforeUpdate&&(E=m.getSnapshotBeforeUpdate(y,R)),w=i&&i.type===S&&i.key==null?i.props.children:i,C.__P&&(i=d,a=(e=C.__P).namespaceURI,g=n=null,t.props&&t.props.__P!=e&&(t.__k.some(function(H){H&&Ye(H,H)}),t.__k=null),d=t.__k?ne(t,0):null),d=ur(e,We(w)?w:[w],r,t,s,a,n,_,d,g,c),C.__P&&(r.__e=null,d=i),r.__u&=-161,u&&u.some(ge),m.__h.length&&_.push(m),1&m.__g&&(m.__g&=-4)}catch(H){if(_.length=p,r.__v=null,g||n)if(H&&H.then){if(r.__u|=128|g,n){for(~(B=n.indexOf(d||void 0))||(B=n.length);(X=n[B-1])&&X.nodeType==8;)B--;for(;B<n.length;B++)if(X=n[B])if(n[B]=null,Q){if(X==l)break}else{if(X.nodeType!=8)break;X.data.startsWith("$s")&&(l=ve(Q=X))}}if(!Q){for(;d&&d.nodeType==8&&d.nextSibling;)d=d.nextSibling;Q=d}(i=ve(Q=r.__c.__z||(r.__c.__z=Q)))?(r.__e=Q,d=i):r.__e=d,d=d&&d.nextSibling}else n&&n.some(ge);else r.__e=t.__e;r.__k||(r.__k=t.__k||[]),H&&H.then||yr(r),v.__e(H,r,t)}}else d=r.__e=Gt(t.__e,r,t,s,a,n,_,g,c,e);return(i=v.diffed)&&i(r),d}function ve(e,r){if(e&&e.nodeType==8&&e.data.startsWith("$s"))for(var t=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith("$s"))t++;else if(e.data.startsWith("/$s")&&!--t)return e}r&&r.push(e)}}function yr(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(yr))}function fr(e,r,t){for(var s=0;s<t.length;)Ve(t[s++],t[s++],t[s++]);v.__c&&v.__c(r,e),e.some(function(a){try{e=a.__h,a.__h=[],e.some(function(n){n.call(a)})}catch(n){v.__e(n,a.__v)}})}function Gt(e,r,t,s,a,n,_,d,g,c){var i,u,p,m,y,R,E,C,f=t.props||Le,U=r.props,h=r.type;if(h=="svg"?a="http://www.w3.org/2000/svg":h=="math"?a="http://www.w3.org/1998/Math/MathML":a||(a="http://www.w3.org/1999/xhtml"),n){for(i=0;i<n.length;i++)if((y=n[i])&&(h?y.localName==h:y.nodeType==3)){e=y,n[i]=null;break}}if(!e){if(C=c.ownerDocument||document,!h)return C.createTextNode(U);e=C.createElementNS(a,h,U.is?U:c),d&&(v.__m&&v.__m(r,n),d=!1),n=null}if(h){if(c=h=="template"&&e.content||e,n=h=="textarea"&&U.defaultValue!=null?null:n&&mr.call(c.childNodes),!d&&n)for(f={},i=0;i<e.attributes.length;i++)f[(y=e.attributes[i]).name]=y.value;for(i in f)y=f[i],i=="dangerouslySetInnerHTML"?p=y:i=="children"||i in U||i=="value"&&"defaultValue"in U||i=="checked"&&"defaultChecked"in U||Te(e,i,null,y,a);for(i in U)y=U[i],i=="children"?m=y:i=="dangerouslySetInnerHTML"?u=y:i=="value"?R=y:i=="checked"?E=y:d&&typeof y!="function"||f[i]===y||Te(e,i,y,f[i],a);u?(d||p&&(u.__html==p.__html||u.__html==e.innerHTML)||(e.innerHTML=u.__html),r.__k=[]):(p&&(e.textContent=""),(h=="foreignObject"||a=="http://www.w3.org/1998/Math/MathML"&&Mt.test(h))&&(a="http://www.w3.org/1999/xhtml"),ur(c,We(m)?m:[m],r,t,s,a,n,_,n?n[0]:t.__k&&ne(t,0),d,g),n&&n.some(ge)),d&&h!="textarea"||(i="value",h=="progress"&&R==null?e.removeAttribute(i):R==null||R===e[i]&&(h!="progress"||R)||Te(e,i,R,f[i],a),i="checked",E!=null&&E!=e[i]&&Te(e,i,E,f[i],a))}else f===U||d&&e.data==U||(e.data=U);return e}function Ve(e,r,t,s){try{typeof e=="function"?r?r.__x=e(r)||1:s&&(s=s.__c||s.__e)&&(r=s.__x)&&(s.__x=null,typeof r=="function"?r():e(null)):e.current=r}catch(a){v.__e(a,t)}}function Ye(e,r,t){var s,a,n,_;if(v.unmount&&v.unmount(e),!(s=e.ref)||s.current&&s.current!=e.__e||Ve(s,null,r,e),s=e.__c){if(s.componentWillUnmount)try{s.componentWillUnmount()}catch(d){v.__e(d,r)}s.__P=s.__n=null}if(s=e.__k)for(_=0;_<s.length;_++)s[_]&&Ye(s[_],r,typeof e.type!="function"||t&&!e.props.__P);!t&&(s=e.__c)&&(s=s.__z)&&(a=ve(s,n=[]))&&(s==e.__e&&n.some(ge),ge(a),ge(s)),t||ge(e.__e),e.__e=e.__c=e.__=null}function Qt(e,r,t){return this.constructor(e,t)}function lr(e,r){var t,s,a,n;v.__&&v.__(e,r),r.nodeType==9&&(r=r.documentElement),s=(t=e&&32&e.__u)?null:r.__k,r.__k=Ae(S,{children:[e]}),a=[],n=[],Ke(r,r.__k,s||Le,Le,r.namespaceURI,s?null:r.firstChild?mr.call(r.childNodes):null,a,s?s.__e:r.firstChild,t,n),fr(a,r.__k,n),r.__k.props.children=null}function Cr(e){function r(t){var s,a;return this.getChildContext||(s=new Set,(a={})[r.__c]=this,this.getChildContext=function(){return a},this.shouldComponentUpdate=function(n){this.props.value!=n.value&&s.forEach(function(_){_.__g|=4,Qe(_)})},this.sub=function(n){s.add(n);var _=n.componentWillUnmount;n.componentWillUnmount=function(){s.delete(n),_&&_.call(n)}}),t.children}return r.__c="__cC"+ir++,r.__=e,r.Provider=(r.Consumer=function(t,s){return t.children(s)}).contextType=r,r}v={__e:function(e,r,t,s){for(var a,n,_;r=r.__;)if((a=r.__c)&&!(1&a.__g)){a.__g|=4;try{if((_=(n=a.constructor)&&n.getDerivedStateFromError)&&a.setState(n.getDerivedStateFromError(e)),a.componentDidCatch&&(a.componentDidCatch(e,s||{}),_=1),_&&8&a.__g)return void(a.__g|=2)}catch(d){e=d}}throw ke=0,e}},ar=0,Lt=function(e){return e!=null&&e.constructor===Ue},we.prototype.setState=function(e,r){var t=this.__s;t&&t!=this.state||(t=this.__s=pe({},this.state)),typeof e=="function"&&(e=e(pe({},t),this.props)),e&&(pe(t,e),this.__v&&(r&&this.__k.push(r),Qe(this)))},we.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),Qe(this))},we.prototype.render=S,se=[],ke=0,dr=function(e,r){return e.__v.__b-r.__v.__b},be=Symbol(),_r=/(PointerCapture)$|Capture$/i,He=0,Ge={},ir=0;var ue,M,ze,Er,$e=Object.is,Ne=0,Tr=[],qe=[],x=v,Rr=x.__b,Ur=x.__r,Fr=x.diffed,Nr=x.__c,hr=x.unmount,Sr=x.__;function he(e,r){x.__h&&x.__h(M,e,Ne||r),Ne=0;var t=M.__H||(M.__H={__:[],__h:[]});return e>=t.__.length&&t.__.push({}),t.__[e]}function I(e){return Ne=1,Ht(wr,e)}function Ht(e,r,t){var s=he(ue++,2);if(s.t=e,!s.__c&&(s.__=[t?t(r):wr(void 0,r),function(n){var _=(s.__N||s.__)[0],d=s.t(_,n);$e(_,d)||(s.__N=[d,s.__[1]],s.__c.setState({}))}],s.__c=M,!M.__f)){M.__f=!0;var a=M.shouldComponentUpdate;M.shouldComponentUpdate=function(n,_,d){var g=this.__H;if(!g)return!0;var c=!1,i=this.props!=n;if(g.__.some(function(p){p.__N&&(c=!0,$e(p.__[0],p.__N[0])||(i=!0))}),a){var u=a.call(this,n,_,d);return c?u||i:u}return!c||i}}return s.__}function Z(e,r){var t=he(ue++,3);!x.__s&&Ar(t.__H,r)&&(t.__P=!0,t.__=e,t.u=r,M.__H.__h.push(t))}function Ce(e){return Ne=5,De(function(){return{current:e}},[])}function De(e,r){var t=he(ue++,7);return Ar(t.__H,r)&&(t.__=e(),t.__H=r),t.__}function ce(e,r){return Ne=8,De(function(){return e},r)}function br(e){var r=M.context[e.__c],t=he(ue++,9);return t.c=e,r?(t.__==null&&(t.__=!0,r.sub(M)),r.props.value):e.__}function ae(){var e=he(ue++,11);if(!e.__){for(var r=M.__v;!r.__m&&r.__;)r=r.__;var t=r.__m||(r.__m=[0,0]);e.__="P"+t[0]+"-"+t[1]++}return e.__}function Wt(){var e;do{for(;e=qe.shift();)try{Fe(e)}catch(t){x.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=Tr.shift();){var r=e.__H;if(e.__P&&r)try{r.__h.some(Fe),r.__h.some(je),r.__h=[]}catch(t){r.__h=[],x.__e(t,e.__v)}}}while(qe.length)}x.__b=function(e){M=null,Rr&&Rr(e)},x.__=function(e,r){e&&r.__k&&r.__k.__m&&(e.__m=r.__k.__m),Sr&&Sr(e,r)},x.__r=function(e){Ur&&Ur(e),ue=0;var r=(M=e.__c).__H;r&&(ze==M?M.__h=[]:(r.__h.some(Fe),r.__h.some(je),ue=0),r.__h=[],r.__.some(function(t){t.__N&&(t.__=t.__N),t.u=t.__N=void 0})),ze=M},x.diffed=function(e){Fr&&Fr(e);var r=e.__c;r&&r.__H&&(r.__H.__h.length&&Ir(Tr.push(r)),r.__H.__.some(function(t){t.u&&(t.__H=t.u)})),ze=M=null},x.__c=function(e,r){r.some(function(t){try{t.__h.some(Fe),t.__h=t.__h.filter(function(s){return!s.__||je(s)})}catch(s){t.__h=[function(){throw s}]}}),Nr&&Nr(e,r)},x.unmount=function(e){hr&&hr(e);var r,t,s=e.__c;s&&s.__H&&(s.__H.__.some(function(a){try{if(a.__P&&a.__c){if(t===void 0){for(t=e.__;t&&(!t.__c||!t.__c.__P);)t=t.__;t=t&&t.__c}a.__P=t,Ir(qe.push(a))}else Fe(a)}catch(n){r=n}}),s.__H=void 0,r&&x.__e(r,s.__v))};var Or=typeof requestAnimationFrame=="function";function Kt(e){var r,t=function(){clearTimeout(s),Or&&cancelAnimationFrame(r),setTimeout(e)},s=setTimeout(t,35);Or&&(r=requestAnimationFrame(t))}function Ir(e){e!=1&&Er==x.requestAnimationFrame||((Er=x.requestAnimationFrame)||Kt)(Wt)}function Fe(e){var r=M,t=e.__c;typeof t=="function"&&(e.__c=void 0,t()),M=r}function je(e){var r=M;e.__c=e.__(),M=r}function Ar(e,r){return!e||e.length!=r.length||r.some(function(t,s){return!$e(t,e[s])})}function wr(e,r){return typeof r=="function"?r(e):r}var A=class extends String{__apiType;value;__meta__;constructor(r,t){super(r),this.value=r,this.__meta__=t}toString(){return this.value}},To=new A(`
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
    `,{fragmentName:"Written"}),bo=new A(`
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
    `,{fragmentName:"Refused"}),Ao=new A(`
    fragment CheckoutRefused on UserError {
  ...Refused
  ... on CheckoutPriceChanged {
    price
  }
  ... on ExceedsCheckout {
    amountMax
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}`,{fragmentName:"CheckoutRefused"}),wo=new A(`
    fragment LotteryRefused on UserError {
  ...Refused
  ... on LotteryLimitReached {
    limitLeft
    resetsAt
  }
  ... on LotteryNotYetOpen {
    opensAt
  }
  ... on LotteryClosed {
    closedAt
  }
  ... on LotteryOfOtherTier {
    tiers
  }
  ... on LotteryPriceChanged {
    price
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}`,{fragmentName:"LotteryRefused"}),vo=new A(`
    fragment QuestRefused on UserError {
  ...Refused
  ... on QuestAlreadyDone {
    resetsAt
  }
  ... on QuestNotReached {
    current
    required
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}`,{fragmentName:"QuestRefused"}),ko=new A(`
    fragment RewardRefused on UserError {
  ...Refused
  ... on RewardLimitReached {
    limitLeft
    resetsAt
  }
  ... on RewardSoldOut {
    stockLeft
  }
  ... on RewardNotYetOpen {
    opensAt
  }
  ... on RewardClosed {
    closedAt
  }
  ... on RewardOfOtherTier {
    tiers
  }
  ... on RewardPriceChanged {
    price
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}`,{fragmentName:"RewardRefused"}),Lo=new A(`
    fragment SignInRefused on UserError {
  ...Refused
  ... on AlreadySignedIn {
    resetsAt
  }
  ... on MakeUpsUsedUp {
    resetsAt
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}`,{fragmentName:"SignInRefused"}),Mo=new A(`
    fragment Criterion on CriterionProgress {
  fact
  description
  current
  required
  remaining
  ratio
  window {
    months
    days
  }
}
    `,{fragmentName:"Criterion"}),Do=new A(`
    fragment Standing on Member {
  id
  status
  erasedAt
  freeze {
    scope
    until
  }
  tier {
    code
    name
  }
  tierSince
  balances {
    unit
    available
    pending
    held
    debt
    expiring {
      points
      at
    }
  }
  progress {
    nextTier {
      code
      name
    }
    mode
    ratio
    criteria {
      ...Criterion
    }
    brings {
      code
      name
    }
  }
  keeping {
    state
    judgedAt
    lostAt
    daysLeft
    lockedUntil
    ratio
    projectedTier {
      name
    }
    criteria {
      ...Criterion
    }
  }
}
    fragment Criterion on CriterionProgress {
  fact
  description
  current
  required
  remaining
  ratio
  window {
    months
    days
  }
}`,{fragmentName:"Standing"}),vr=new A(`
    query Badges {
  viewer {
    member {
      badges {
        name
        title
        level
        unlockedAt
        counts
        levels {
          level
          title
          required
          unlockedAt
          pack {
            unit
            amount
          }
        }
        progress {
          level
          current
          required
          remaining
          ratio
        }
      }
    }
  }
}
    `),kr=new A(`
    query Quote($input: QuoteCheckoutInput!, $purchase: PreviewPurchaseInput!, $locale: Locale!) {
  quoteCheckout(input: $input) {
    amount {
      amount
      currency
    }
    points
    pointsPerUnit
    limitedBy
    errors {
      ...CheckoutRefused
    }
  }
  previewPurchase(input: $purchase) {
    awards {
      unit
      given
    }
    errors {
      ...CheckoutRefused
    }
  }
  viewer {
    member {
      holds(first: 10) {
        nodes {
          id
          channel
          amount
          reference
          expiresAt
        }
      }
    }
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment CheckoutRefused on UserError {
  ...Refused
  ... on CheckoutPriceChanged {
    price
  }
  ... on ExceedsCheckout {
    amountMax
  }
}`),Lr=new A(`
    mutation HoldCheckout($input: HoldCheckoutInput!, $locale: Locale!) {
  done: holdCheckout(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...CheckoutRefused
    }
    hold {
      id
      amount
      expiresAt
    }
    amount {
      amount
      currency
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment CheckoutRefused on UserError {
  ...Refused
  ... on CheckoutPriceChanged {
    price
  }
  ... on ExceedsCheckout {
    amountMax
  }
}`),Mr=new A(`
    mutation ReleaseCheckout($input: ReleaseCheckoutInput!, $locale: Locale!) {
  done: releaseCheckout(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...CheckoutRefused
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment CheckoutRefused on UserError {
  ...Refused
  ... on CheckoutPriceChanged {
    price
  }
  ... on ExceedsCheckout {
    amountMax
  }
}`),Je=new A(`
    query History($after: String) {
  viewer {
    member {
      transactions(first: 10, after: $after) {
        nodes {
          id
          kind
          channel
          effectiveAt
          reference
          reason
          entries {
            unit
            amount
            held
            balanceAfter
          }
          reversedBy {
            id
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
}
    `),Dr=new A(`
    query Why($transaction: ID!, $locale: Locale!) {
  node(id: $transaction) {
    ... on Transaction {
      explanation(locale: $locale) {
        text
      }
    }
  }
}
    `),Pr=new A(`
    query Lotteries {
  lotteryPools {
    id
    name
    price
    opensAt
    closesAt
    total
    soldOut
    prizes {
      id
      name
      kind
      points
      odds {
        numerator
        denominator
      }
      stockLeft
    }
    pity {
      draws
      prize
    }
    current {
      period
      commitment
      revealsAt
    }
  }
}
    `),xr=new A(`
    query Chances($pool: ID!) {
  viewer {
    member {
      lottery(id: $pool) {
        price
        drawsLeft
        resetsAt
        nextPityIn
        drawsMade
        draws(first: 5) {
          nodes {
            id
            number
            name
            kind
            points
            because
            drawnAt
            status
          }
        }
      }
    }
  }
}
    `),Br=new A(`
    mutation DrawLottery($input: DrawLotteryInput!, $locale: Locale!) {
  done: drawLottery(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...LotteryRefused
    }
    draws {
      id
      name
      kind
      points
      because
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment LotteryRefused on UserError {
  ...Refused
  ... on LotteryLimitReached {
    limitLeft
    resetsAt
  }
  ... on LotteryNotYetOpen {
    opensAt
  }
  ... on LotteryClosed {
    closedAt
  }
  ... on LotteryOfOtherTier {
    tiers
  }
  ... on LotteryPriceChanged {
    price
  }
}`),Gr=new A(`
    query Quests {
  viewer {
    member {
      quests {
        name
        title
        period
        points
        status
        progress {
          current
          required
          ratio
        }
        resetsAt
        closesAt
      }
    }
  }
}
    `),Qr=new A(`
    mutation ClaimQuest($input: ClaimQuestInput!, $locale: Locale!) {
  done: claimQuest(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...QuestRefused
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment QuestRefused on UserError {
  ...Refused
  ... on QuestAlreadyDone {
    resetsAt
  }
  ... on QuestNotReached {
    current
    required
  }
}`),Hr=new A(`
    query Rewards($member: MemberByInput!, $locale: Locale!) {
  rewards(member: $member) {
    id
    name
    kind
    category
    listPrice
    price
    opensAt
    closesAt
    stockLeft
    limitLeft
    limitResetsAt
    affordable
    refusal {
      ...RewardRefused
    }
  }
  viewer {
    member {
      rewardOrders(first: 5) {
        nodes {
          id
          name
          quantity
          points
          status
          codes
          note
          requestedAt
        }
      }
    }
  }
}
    fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment RewardRefused on UserError {
  ...Refused
  ... on RewardLimitReached {
    limitLeft
    resetsAt
  }
  ... on RewardSoldOut {
    stockLeft
  }
  ... on RewardNotYetOpen {
    opensAt
  }
  ... on RewardClosed {
    closedAt
  }
  ... on RewardOfOtherTier {
    tiers
  }
  ... on RewardPriceChanged {
    price
  }
}`),Wr=new A(`
    mutation RedeemReward($input: RedeemRewardInput!, $locale: Locale!) {
  done: redeemReward(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...RewardRefused
    }
    order {
      id
      name
      codes
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment RewardRefused on UserError {
  ...Refused
  ... on RewardLimitReached {
    limitLeft
    resetsAt
  }
  ... on RewardSoldOut {
    stockLeft
  }
  ... on RewardNotYetOpen {
    opensAt
  }
  ... on RewardClosed {
    closedAt
  }
  ... on RewardOfOtherTier {
    tiers
  }
  ... on RewardPriceChanged {
    price
  }
}`),Kr=new A(`
    query Session($locale: Locale!) {
  viewer {
    role
    member {
      id
      externalId
    }
  }
  programme {
    name
    currency
    timezone
    pointValue
    units {
      name
      spendable
    }
    channels(locale: $locale) {
      channel
      name
    }
    tiers {
      id
      code
      name
    }
  }
}
    `),Vr=new A(`
    query SignIn($month: Day) {
  viewer {
    member {
      signIn {
        streak
        doneToday
        resetsAt
        makeUpCost
        makeUpsLeft
        missed
        calendar(month: $month) {
          day
          isMadeUp
          streak
        }
        ahead(days: 7) {
          day
          streak
          brings {
            unit
            amount
          }
        }
      }
    }
  }
}
    `),Yr=new A(`
    mutation RecordSignIn($input: RecordSignInInput!, $locale: Locale!) {
  done: recordSignIn(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...SignInRefused
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment SignInRefused on UserError {
  ...Refused
  ... on AlreadySignedIn {
    resetsAt
  }
  ... on MakeUpsUsedUp {
    resetsAt
  }
}`),zr=new A(`
    mutation MakeUpSignIn($input: MakeUpSignInInput!, $locale: Locale!) {
  done: makeUpSignIn(input: $input) {
    transaction {
      ...Written
    }
    errors {
      ...SignInRefused
    }
  }
}
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
fragment Refused on UserError {
  __typename
  code
  message(locale: $locale)
  ... on InsufficientPoints {
    needed
    available
    unit
  }
  ... on MemberFrozen {
    frozen
    frozenUntil
  }
  ... on MemberNotActive {
    status
  }
}
fragment SignInRefused on UserError {
  ...Refused
  ... on AlreadySignedIn {
    resetsAt
  }
  ... on MakeUpsUsedUp {
    resetsAt
  }
}`),$r=new A(`
    subscription Follow($member: MemberByInput!) {
  memberProgress(by: $member) {
    ...Standing
  }
}
    fragment Standing on Member {
  id
  status
  erasedAt
  freeze {
    scope
    until
  }
  tier {
    code
    name
  }
  tierSince
  balances {
    unit
    available
    pending
    held
    debt
    expiring {
      points
      at
    }
  }
  progress {
    nextTier {
      code
      name
    }
    mode
    ratio
    criteria {
      ...Criterion
    }
    brings {
      code
      name
    }
  }
  keeping {
    state
    judgedAt
    lostAt
    daysLeft
    lockedUntil
    ratio
    projectedTier {
      name
    }
    criteria {
      ...Criterion
    }
  }
}
fragment Criterion on CriterionProgress {
  fact
  description
  current
  required
  remaining
  ratio
  window {
    months
    days
  }
}`),qr=new A(`
    query Expiry($unit: String!) {
  viewer {
    member {
      lots(unit: $unit, first: 100) {
        nodes {
          available
          expiresAt
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
}
    `);function $(e){return e===null?"null":Array.isArray(e)?"array":typeof e}function de(e){return $(e)==="object"}function Vt(e){return Array.isArray(e)&&e.length>0&&e.every(r=>"message"in r)}function Xe(e,r){return e.length<124?e:r}var jr="graphql-transport-ws";var j=(e=>(e[e.InternalServerError=4500]="InternalServerError",e[e.InternalClientError=4005]="InternalClientError",e[e.BadRequest=4400]="BadRequest",e[e.BadResponse=4004]="BadResponse",e[e.Unauthorized=4401]="Unauthorized",e[e.Forbidden=4403]="Forbidden",e[e.SubprotocolNotAcceptable=4406]="SubprotocolNotAcceptable",e[e.ConnectionInitialisationTimeout=4408]="ConnectionInitialisationTimeout",e[e.ConnectionAcknowledgementTimeout=4504]="ConnectionAcknowledgementTimeout",e[e.SubscriberAlreadyExists=4409]="SubscriberAlreadyExists",e[e.TooManyInitialisationRequests=4429]="TooManyInitialisationRequests",e))(j||{}),J=(e=>(e.ConnectionInit="connection_init",e.ConnectionAck="connection_ack",e.Ping="ping",e.Pong="pong",e.Subscribe="subscribe",e.Next="next",e.Error="error",e.Complete="complete",e))(J||{});function Jr(e){if(!de(e))throw new Error(`Message is expected to be an object, but got ${$(e)}`);if(!e.type)throw new Error("Message is missing the 'type' property");if(typeof e.type!="string")throw new Error(`Message is expects the 'type' property to be a string, but got ${$(e.type)}`);switch(e.type){case"connection_init":case"connection_ack":case"ping":case"pong":{if(e.payload!=null&&!de(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an object or nullish or missing, but got "${e.payload}"`);break}case"subscribe":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${$(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);if(!de(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${$(e.payload)}`);if(typeof e.payload.query!="string")throw new Error(`"${e.type}" message payload expects the 'query' property to be a string, but got ${$(e.payload.query)}`);if(e.payload.variables!=null&&!de(e.payload.variables))throw new Error(`"${e.type}" message payload expects the 'variables' property to be a an object or nullish or missing, but got ${$(e.payload.variables)}`);if(e.payload.operationName!=null&&$(e.payload.operationName)!=="string")throw new Error(`"${e.type}" message payload expects the 'operationName' property to be a string or nullish or missing, but got ${$(e.payload.operationName)}`);if(e.payload.extensions!=null&&!de(e.payload.extensions))throw new Error(`"${e.type}" message payload expects the 'extensions' property to be a an object or nullish or missing, but got ${$(e.payload.extensions)}`);break}case"next":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${$(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);if(!de(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${$(e.payload)}`);break}case"error":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${$(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);if(!Vt(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an array of GraphQL errors, but got ${JSON.stringify(e.payload)}`);break}case"complete":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${$(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);break}default:throw new Error(`Invalid message 'type' property "${e.type}"`)}return e}function Xr(e,r){return Jr(typeof e=="string"?JSON.parse(e,r):e)}function Ee(e,r){return Jr(e),JSON.stringify(e,r)}function er(e){let{url:r,connectionParams:t,lazy:s=!0,onNonLazyError:a=console.error,lazyCloseTimeout:n=0,keepAlive:_=0,disablePong:d,connectionAckWaitTimeout:g=0,retryAttempts:c=5,retryWait:i=async function(k){let F=Math.pow(2,k);await new Promise(b=>setTimeout(b,F*1e3+Math.floor(Math.random()*2700+300)))},shouldRetry:u=Ze,on:p,webSocketImpl:m,generateID:y=function(){return"xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g,k=>{let F=Math.random()*16|0;return(k=="x"?F:F&3|8).toString(16)})},jsonMessageReplacer:R,jsonMessageReviver:E}=e,C;if(m){if(!zt(m))throw new Error("Invalid WebSocket implementation provided");C=m}else typeof WebSocket<"u"?C=WebSocket:typeof global<"u"?C=global.WebSocket||global.MozWebSocket:typeof window<"u"&&(C=window.WebSocket||window.MozWebSocket);if(!C)throw new Error("WebSocket implementation missing; on Node you can `import WebSocket from 'ws';` and pass `webSocketImpl: WebSocket` to `createClient`");let f=C,U=(()=>{let N=(()=>{let F={};return{on(b,D){return F[b]=D,()=>{delete F[b]}},emit(b){"id"in b&&F[b.id]?.(b)}}})(),k={connecting:p?.connecting?[p.connecting]:[],opened:p?.opened?[p.opened]:[],connected:p?.connected?[p.connected]:[],ping:p?.ping?[p.ping]:[],pong:p?.pong?[p.pong]:[],message:p?.message?[N.emit,p.message]:[N.emit],closed:p?.closed?[p.closed]:[],error:p?.error?[p.error]:[]};return{onMessage:N.on,on(F,b){let D=k[F];return D.push(b),()=>{let P=D.indexOf(b);P>-1&&D.splice(P,1)}},emit(F,...b){for(let D of[...k[F]])D(...b)}}})();function h(N){let k=[U.on("error",F=>{k.forEach(b=>b()),N(F)}),U.on("closed",F=>{k.forEach(b=>b()),N(F)})];return()=>k.forEach(F=>F())}let V,L=0,w,Q=!1,l=0,B=!1;async function X(){clearTimeout(w);let[N,k]=await(V??(V=new Promise((D,P)=>(async()=>{if(Q){if(await i(l),!L)return V=void 0,P({code:1e3,reason:"All Subscriptions Gone"});l++}U.emit("connecting",Q);let O=new f(typeof r=="function"?await r():r,jr),te,fe;function Ie(){isFinite(_)&&_>0&&(clearTimeout(fe),fe=setTimeout(()=>{O.readyState===f.OPEN&&(O.send(Ee({type:J.Ping})),U.emit("ping",!1,void 0))},_))}h(Y=>{V=void 0,clearTimeout(te),clearTimeout(fe),P(Y),Y instanceof Se&&(O.close(4499,"Terminated"),O.onerror=null,O.onclose=null)}),O.onerror=Y=>U.emit("error",Y),O.onclose=Y=>U.emit("closed",Y),O.onopen=async()=>{try{U.emit("opened",O);let Y=typeof t=="function"?await t():t;if(O.readyState!==f.OPEN)return;O.send(Ee(Y?{type:J.ConnectionInit,payload:Y}:{type:J.ConnectionInit},R)),isFinite(g)&&g>0&&(te=setTimeout(()=>{O.close(j.ConnectionAcknowledgementTimeout,"Connection acknowledgement timeout")},g)),Ie()}catch(Y){U.emit("error",Y),O.close(j.InternalClientError,Xe(Y instanceof Error?Y.message:String(Y),"Internal client error"))}};let le=!1;O.onmessage=({data:Y})=>{try{let W=Xr(Y,E);if(U.emit("message",W),W.type==="ping"||W.type==="pong"){U.emit(W.type,!0,W.payload),W.type==="pong"?Ie():d||(O.send(Ee(W.payload?{type:J.Pong,payload:W.payload}:{type:J.Pong},R)),U.emit("pong",!1,W.payload));return}if(le)return;if(W.type!==J.ConnectionAck)throw new Error(`First message cannot be of type ${W.type}`);clearTimeout(te),le=!0,U.emit("connected",O,W.payload,Q),Q=!1,l=0;let sr=new Promise((ho,kt)=>h(kt));sr.catch(()=>{}),D([O,sr])}catch(W){O.onmessage=null,U.emit("error",W),O.close(j.BadResponse,Xe(W instanceof Error?W.message:String(W),"Bad response"))}}})())));N.readyState===f.CLOSING&&await k;let F=()=>{},b=new Promise(D=>F=D);return[N,F,new Promise((D,P)=>{let O=h(P);N.readyState!==f.OPEN&&k.catch(P),b.then(()=>{if(O(),!L){let te=()=>N.close(1e3,"Normal Closure");isFinite(n)&&n>0?(clearTimeout(w),w=setTimeout(()=>{!L&&N.readyState===f.OPEN&&te()},n)):te()}D()})})]}function z(N){if(Ze(N)&&(Yt(N.code)||[j.InternalServerError,j.InternalClientError,j.BadRequest,j.BadResponse,j.Unauthorized,j.SubprotocolNotAcceptable,j.SubscriberAlreadyExists,j.TooManyInitialisationRequests].includes(N.code)))throw N;if(B)return!1;if(Ze(N)&&N.code===1e3)return L>0;if(!c||l>=c||!u(N))throw N;return Q=!0}s||(async()=>{for(L++;;)try{let[,,N]=await X();await N}catch(N){try{if(!z(N))return}catch(k){return a?.(k)}}})();function H(N,k){let F=y(N),b=!1,D=!1,P=()=>{L--,b=!0};return(async()=>{for(L++;;)try{let[O,te,fe]=await X();if(b)return fe.catch(()=>{}),te();let Ie=U.onMessage(F,le=>{switch(le.type){case J.Next:{k.next(le.payload);return}case J.Error:{D=!0,b=!0,k.error(le.payload),P();return}case J.Complete:{b=!0,P();return}}});O.send(Ee({id:F,type:J.Subscribe,payload:N},R)),P=()=>{!b&&O.readyState===f.OPEN&&O.send(Ee({id:F,type:J.Complete},R)),L--,b=!0,te()},await fe.finally(Ie);return}catch(O){if(!z(O))return}})().then(()=>{D||k.complete()}).catch(O=>{k.error(O)}),()=>{b||P()}}return{on:U.on,subscribe:H,iterate(N){let k=[],F={done:!1,error:null,resolve:()=>{}},b=H(N,{next(P){k.push(P),F.resolve()},error(P){F.done=!0,F.error=P,F.resolve()},complete(){F.done=!0,F.resolve()}}),D=(async function*(){for(;;){for(k.length||await new Promise(O=>F.resolve=O);k.length;)yield k.shift();if(F.error)throw F.error;if(F.done)return}})();return D.throw=async P=>(F.done||(F.done=!0,F.error=P,F.resolve()),{done:!0,value:void 0}),D.return=async()=>(b(),{done:!0,value:void 0}),D},async dispose(){if(B=!0,V){let[N]=await V;N.close(1e3,"Normal Closure")}},terminate(){V&&U.emit("closed",new Se)}}}var Se=class extends Error{name="TerminatedCloseEvent";message="4499: Terminated";code=4499;reason="Terminated";wasClean=!1};function Ze(e){return de(e)&&"code"in e&&"reason"in e}function Yt(e){return[1e3,1001,1006,1005,1012,1013,1014].includes(e)?!1:e>=1e3&&e<=1999}function zt(e){return typeof e=="function"&&"constructor"in e&&"CLOSED"in e&&"CLOSING"in e&&"CONNECTING"in e&&"OPEN"in e}var rt=new URL("graphql",document.baseURI).href,oe=class extends Error{},_e=class extends Error{},Re=class extends Error{constructor(t,s){super(s);this.code=t}code},$t=new Set(["OVERLOADED","SHUTTING_DOWN","DEADLINE_EXCEEDED","KEYS_UNREACHABLE","DATABASE_UNREACHABLE","TIMEOUT","RATE_LIMITED"]),qt=15;async function ie(e,r,t){let s;try{s=await(await fetch(rt,{method:"POST",headers:{"Content-Type":"application/json",Accept:"application/graphql-response+json, application/json;q=0.9",Authorization:`Bearer ${e}`},body:JSON.stringify({query:r.toString(),variables:t}),signal:AbortSignal.timeout(qt*1e3)})).json()}catch(n){throw new oe(String(n))}let[a]=s.errors??[];if(a){let n=a.extensions?.code??"";throw n==="UNAUTHENTICATED"?new _e(a.message):$t.has(n)?new oe(a.message):new Re(n,a.message)}return s.data}var jt=4e3,Zr=[250,500,1e3,2e3,4e3],et=1e4,Jt=4403;function tt(e,r,t){let s=!1,a,n,_=()=>{},d=er({url:rt.replace(/^http/,"ws"),connectionParams:{authorization:`Bearer ${e}`},lazy:!1,retryAttempts:1/0,shouldRetry:()=>!0,retryWait:u=>new Promise(p=>setTimeout(p,Zr[Math.min(u,Zr.length-1)])),onNonLazyError:()=>{},keepAlive:et,on:{connected:()=>t.connected(),closed:u=>{clearTimeout(a),!s&&(u.code===Jt?(i(),t.ended()):t.down())},ping:u=>{u||(a=setTimeout(()=>d.terminate(),et))},pong:u=>u&&clearTimeout(a)}}),g=()=>{_=d.subscribe({query:$r.toString(),variables:{member:{id:r}}},{next:({data:u})=>u?.memberProgress&&t.stands(u.memberProgress),error:c,complete:c})},c=()=>{s||(t.down(),n=setTimeout(g,jt))};g();let i=()=>{s=!0,clearTimeout(n),_(),d.dispose()};return i}var Xt=Symbol.for("pv"),Zt=0;function o(e,r,t,s,a,n){r||(r={});var _,d,g=r;if("ref"in g&&typeof e!="function")for(d in g={},r)d=="ref"?_=r[d]:g[d]=r[d];var c={type:e,props:g,key:t,ref:_,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Xt,__v:--Zt,__i:-1,__u:0};return(a||n)&&(c.__source=a,c.__self=n),v.vnode&&v.vnode(c),c}var ot=Cr(null),st=ot.Provider;function T(){let e=br(ot);if(!e)throw new Error("a part of the centre is outside of it");return e}var Pe=e=>e==="GRAPHQL_VALIDATION_FAILED"||e==="DOCUMENT_NOT_TRUSTED",eo=e=>Pe(e)||e.endsWith("_NOT_OFFERED");function K(e,r){let{token:t,moved:s,signOut:a,doubt:n}=T(),[_,d]=I({state:"loading"}),[g,c]=I(0),i=JSON.stringify(r);return Z(()=>{if(r===null)return;let u=!1;return ie(t,e,r).then(p=>u||d({state:"there",data:p}),p=>{u||(p instanceof _e?a(!0):p instanceof Re&&eo(p.code)?(Pe(p.code)&&n(),d({state:"none"})):d(m=>m.state==="there"?m:{state:"failed"}))}),()=>{u=!0}},[t,e,i,s,g]),{..._,again:ce(()=>c(u=>u+1),[])}}var rr=()=>[...crypto.getRandomValues(new Uint8Array(16))].map(e=>e.toString(16).padStart(2,"0")).join(""),Oe=e=>({onClick:r=>{r.detail>1||e()},onKeyDown:r=>r.repeat&&r.preventDefault()});function ee(e){let{token:r,reading:t,signOut:s,doubt:a}=T(),[n,_]=I(!1),[d,g]=I(null),c=Ce(null);return{run:async u=>{let p=JSON.stringify(u);c.current?.request!==p&&(c.current={request:p,key:`centre:${rr()}`});let{key:m}=c.current;_(!0),g(null);try{let{done:y}=await ie(r,e,{input:{...u,idempotencyKey:m},locale:t.locale});if(c.current=null,!y)return null;let[R]=y.errors;if(R)return g({refused:!0,text:t.refused(R)??t.words.other(R.message)}),null;let E=(y.transaction?.entries??[]).filter(({amount:C})=>C!==0);return g({refused:!1,text:t.words.done(t.list(E.map(({amount:C,unit:f})=>t.change(C,f))))}),y}catch(y){if(y instanceof _e)s(!0);else if(y instanceof oe)g({refused:!0,text:t.words.unsent});else if(y instanceof Re)Pe(y.code)&&a(),g({refused:!0,text:Pe(y.code)?t.words.failed:t.words.other(y.message)});else throw y;return null}finally{_(!1)}},busy:n,said:d,clear:()=>g(null)}}function tr(e){let{standing:r,reading:t}=T();if(r.status==="CLOSED")return t.words.frozen.insteadClosed;let{freeze:s}=r;return(s?s.scope==="BOTH"||s.scope===e:r.status==="FROZEN")?t.words.frozen.instead:null}var or=e=>e?.focus();function re(e){let{act:r,scope:t,onPress:s,label:a,quiet:n,focused:_,children:d}=e,g=tr(t??"EARNING");return t&&g?o("p",{className:"stopped",children:g}):o("div",{className:"act",children:[o("button",{type:"button",className:n?"quiet":"","aria-label":a,"aria-busy":r.busy,ref:_?or:void 0,...Oe(()=>r.busy||s()),children:d}),o(me,{said:r.said})]})}function me({said:e}){return o("div",{className:"said",children:[o("p",{role:"alert",className:"refused",children:e?.refused?e.text:""}),o("p",{role:"status",className:"done",children:e&&!e.refused?e.text:""})]})}function G(e){let r=ae();return o("section",{className:`part ${e.name}`,"aria-labelledby":r,children:[o("header",{children:[o("h2",{id:r,children:e.title}),e.aside]}),e.children]})}function q({name:e,title:r,asked:t}){let{words:s}=T().reading;return t.state!=="failed"?null:o(G,{name:e,title:r,children:o("p",{children:[s.failed," ",o("button",{type:"button",className:"quiet",onClick:t.again,children:s.again})]})})}function ye({ratio:e,label:r,text:t}){return o("progress",{max:1,value:Math.min(Math.max(e,0),1),"aria-label":r,"aria-valuetext":t})}var nt=e=>document.querySelector(`meta[name="laurel-${e}"]`)?.content,at=nt("samples")==="yes",dt=new URL("demo/samples",document.baseURI).href,_t=async()=>(await fetch(dt)).json();async function it(e){let t=await fetch(dt,{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify({externalId:e})});if(!t.ok)throw new Error(await t.text());return(await t.json()).token}var ro=nt("build");async function mt(){let e=await fetch(document.baseURI,{method:"HEAD",cache:"no-store"}),r=e.headers.get("Laurel-Build");return e.ok&&r!==null&&r!==ro}function gt(){let{reading:e}=T(),{words:r}=e,t=K(vr,{});if(t.state!=="there")return o(q,{name:"badges",title:r.badges.heading,asked:t});let s=t.data.viewer?.member?.badges??[];return s.length===0?null:o(G,{name:"badges",title:r.badges.heading,children:o("ul",{className:"medals",children:s.map(a=>{let{progress:n}=a,_=a.counts.includes("spend")?e.money:e.number,d=a.levels.find(({level:c})=>c===n?.level),g=d?e.list(d.pack.map(({amount:c,unit:i})=>e.amount(c,i))):"";return o("li",{className:a.level>0?"had":"",children:[o("svg",{viewBox:"0 0 48 48","aria-hidden":"true",children:[o("circle",{cx:"24",cy:"20",r:"14"}),o("path",{d:"M16 31 12 46l12-6 12 6-4-15"}),a.level>0&&o("path",{className:"tick",d:"m17 20 5 5 9-10"})]}),o("div",{children:[o("strong",{children:a.title}),a.levels.length>1&&a.level>0&&o("p",{className:"faint",children:r.badges.level(a.level,a.levels.length)}),a.unlockedAt&&o("p",{className:"faint",children:r.badges.has(e.day(a.unlockedAt))}),n&&o(S,{children:[o(ye,{ratio:Number(n.ratio),label:a.title,text:r.tier.of(_(n.current),_(n.required))}),o("p",{className:"faint",children:[r.tier.of(_(n.current),_(n.required)),g&&` \xB7 ${r.badges.brings(g)}`]})]})]})]},a.name)})})})}var to=300;function oo(e){let[r,t]=I(e);return Z(()=>{let s=setTimeout(()=>t(e),to);return()=>clearTimeout(s)},[e]),r}function pt(){let{reading:e,member:r,programme:t}=T(),{words:s}=e,a=ae(),[n,_]=I(100 .toFixed(e.digits)),d=oo(n.trim()),g=/^\d{1,9}(\.\d+)?$/.test(d)&&Number(d)>0,c={id:r.id},i={amount:d,currency:t.currency},u=K(kr,g?{input:{member:c,basket:i},purchase:{member:c,amount:i,lines:[{sku:"basket",amount:d}]},locale:e.locale}:null),[p,m]=I(0),y=De(()=>`basket-${rr().slice(0,8)}`,[d,p]),R=ee(Lr),E=ee(Mr);if(u.state!=="there")return o(q,{name:"checkout",title:s.checkout.heading,asked:u});let C=u.data.quoteCheckout,[f]=C?.errors??[];if(!C||f?.code==="CHECKOUT_NOT_OFFERED")return null;let U=(u.data.viewer?.member?.holds.nodes??[]).filter(({channel:w})=>w==="checkout"),h=(u.data.previewPurchase?.awards??[]).filter(({given:w})=>w>0),V=w=>w.code==="INSUFFICIENT_POINTS"?s.checkout.nothing:e.refused(w)??s.other(w.message),L=C.points&&C.amount?{points:C.points,amount:C.amount.amount}:null;return o(G,{name:"checkout",title:s.checkout.heading,children:[o("p",{children:[o("label",{htmlFor:a,children:s.checkout.basket})," ",o("span",{className:"entry",children:[o("input",{id:a,inputMode:"decimal",autocomplete:"off",value:n,"aria-invalid":!g,"aria-describedby":`${a}-said`,onInput:w=>_(w.currentTarget.value)})," ",t.currency]})]}),o("p",{id:`${a}-said`,role:"alert",className:"refused",children:g?f?V(f):"":e.refused({code:"INVALID_AMOUNT"})}),g&&!f&&o(S,{children:[o("dl",{className:"sums","aria-live":"polite",children:[o("div",{children:[o("dt",{children:s.checkout.uses}),o("dd",{children:e.number(L?.points??0)})]}),o("div",{children:[o("dt",{children:s.checkout.pays}),o("dd",{children:e.money(L?.amount??0)})]}),o("div",{className:"total",children:[o("dt",{children:s.checkout.rest}),o("dd",{children:e.money(Number(d)-Number(L?.amount??0))})]}),h.length>0&&o("div",{children:[o("dt",{children:s.checkout.earns}),o("dd",{children:e.list(h.map(({given:w,unit:Q})=>e.change(w,Q)))})]})]}),o("p",{className:"faint",children:L?s.checkout.limits[C.limitedBy??""]:s.checkout.nothing}),L&&o(re,{act:R,scope:"SPENDING",onPress:async()=>await R.run({member:c,basket:i,reference:y,points:L.points})&&m(p+1),children:s.checkout.hold(e.amount(L.points,"points"))})]}),U.length>0&&o(S,{children:[o("h3",{children:s.checkout.held}),o("ul",{className:"rows",children:U.map(w=>o("li",{className:"line",children:[o("span",{children:[o("strong",{children:e.amount(w.amount,"points")})," ",o("span",{className:"faint",children:s.checkout.until(e.time(w.expiresAt))})]}),o("button",{type:"button",className:"quiet","aria-label":`${s.checkout.release}: ${e.amount(w.amount,"points")}`,"aria-busy":E.busy,...Oe(()=>E.busy||E.run({hold:w.id})),children:s.checkout.release})]},w.id))}),o("p",{className:"faint",children:s.checkout.why})]}),o(me,{said:E.said})]})}function so(e,r){let t=new Set(e.nodes.map(({id:a})=>a)),s=r?.nodes.filter(({id:a})=>!t.has(a))??[];return!r||s.length===0||s.length===r.nodes.length?e:{nodes:[...e.nodes,...s],pageInfo:r.pageInfo}}function ut(){let{reading:e,token:r}=T(),{words:t}=e,s=K(Je,{after:null}),a=s.state==="there"?s.data.viewer?.member?.transactions:void 0,n=Ce(null),[_,d]=I("ready");if(a&&a!==n.current?.newest&&(n.current={newest:a,all:so(a,n.current?.all??null)}),!n.current)return o(q,{name:"history",title:t.history.heading,asked:s});let{all:g}=n.current,c=async()=>{d("busy");try{let u=(await ie(r,Je,{after:g.pageInfo.endCursor??null})).viewer?.member?.transactions,p=n.current;u&&(n.current={...p,all:{nodes:[...p.all.nodes,...u.nodes],pageInfo:u.pageInfo}}),d("ready")}catch{d("failed")}};return o(G,{name:"history",title:t.history.heading,children:[g.nodes.length===0&&o("p",{className:"faint",children:t.history.empty}),o("ol",{className:"rows",children:g.nodes.map(i=>o(ao,{transaction:i},i.id))}),o("p",{role:"alert",className:"refused",children:_==="failed"&&t.failed}),g.pageInfo.hasNextPage&&o("button",{type:"button",className:"quiet","aria-busy":_==="busy",onClick:()=>_==="busy"||c(),children:t.history.more})]})}function no({entries:e}){let r=new Map;for(let t of e){let s=r.get(t.unit);r.set(t.unit,{...t,amount:t.amount+(s?.amount??0),held:t.held+(s?.held??0)})}return[...r.values()].filter(({amount:t,held:s})=>t!==0||s!==0)}function ao({transaction:e}){let{reading:r,token:t}=T(),{words:s}=r,a=ae(),[n,_]=I(null),[d,g]=I(!1),c=async()=>{if(g(!d),!(d||n))try{let{node:m}=await ie(t,Dr,{transaction:e.id,locale:r.locale});_(m&&"explanation"in m&&m.explanation?.text||[])}catch{_([s.failed])}},i=r.channel(e.channel),u=s.history.kinds[e.kind]??i,p=no(e);return o("li",{children:[o("div",{className:"line",children:[o("span",{children:[o("strong",{children:u}),u!==i&&o("span",{className:"faint",children:[" ",i]}),e.reference&&o("span",{className:"faint",children:[" ",e.reference]}),e.reason&&o("span",{className:"faint",children:[" ",e.reason]}),e.reversedBy.length>0&&o("span",{className:"tag",children:s.history.reversed}),o("br",{}),o("time",{className:"faint",dateTime:e.effectiveAt,children:r.time(e.effectiveAt)})]}),o("span",{className:"amounts",children:[p.length===0&&o("span",{className:"faint",children:s.history.nothing}),p.map(({unit:m,amount:y,held:R,balanceAfter:E})=>o("span",{children:[o("span",{className:y>0?"gain":y<0?"loss":"",children:y!==0?r.change(y,m):R>0?s.history.setAside(r.amount(R,m)):s.history.givenBack(r.amount(-R,m))})," ",y!==0&&E!=null&&o("span",{className:"faint",children:s.history.balance(r.number(E))})]},m)),o("button",{type:"button",className:"link","aria-expanded":d,"aria-controls":a,onClick:c,children:[d?s.history.close:s.history.why,o("span",{className:"hidden",children:[" ",u,", ",r.time(e.effectiveAt)]})]})]})]}),o("div",{id:a,hidden:!d,className:"why","aria-live":"polite",children:n?n.map((m,y)=>o("p",{children:m},y)):o("p",{className:"faint",children:s.loading})})]})}function ct(){let{words:e}=T().reading,r=K(Pr,{});return r.state!=="there"?o(q,{name:"lottery",title:e.lottery.heading,asked:r}):o(S,{children:(r.data.lotteryPools??[]).map(t=>o(_o,{pool:t},t.id))})}function _o({pool:e}){let{reading:r,member:t}=T(),{words:s}=r,a=K(xr,{pool:e.id}),n=ee(Br),[_,d]=I(null),g=a.state==="there"?a.data.viewer?.member?.lottery:null,c=async()=>{d(null);let i=await n.run({member:{id:t.id},pool:e.id,count:1,points:e.price});d(i?.draws[0]??null)};return o(G,{name:"lottery",title:e.name,aside:g?.drawsLeft!=null&&o("span",{className:"faint",children:s.lottery.drawsLeft(g.drawsLeft)}),children:[o(re,{act:n,scope:"SPENDING",onPress:c,children:s.lottery.draw(r.amount(e.price,"points"))}),o("p",{className:"drawn",role:"status",children:_&&o(S,{children:[o("strong",{children:s.lottery.won(_.name)})," ",o("span",{className:"faint",children:s.lottery.because[_.because]})]})}),g?.nextPityIn!=null&&o("p",{className:"faint",children:s.lottery.pity(g.nextPityIn)}),o("table",{className:"odds",children:[o("caption",{children:s.lottery.odds}),o("thead",{children:o("tr",{children:[o("th",{scope:"col",children:s.lottery.prize}),o("th",{scope:"col",children:s.lottery.exact}),o("th",{scope:"col",children:s.lottery.chance})]})}),o("tbody",{children:e.prizes.map(i=>o("tr",{children:[o("th",{scope:"row",children:[i.name," ",i.stockLeft!=null&&o("span",{className:"faint",children:s.lottery.left(i.stockLeft)})]}),o("td",{children:[r.number(i.odds.numerator),"/",r.number(i.odds.denominator)]}),o("td",{children:r.percent(i.odds.numerator/i.odds.denominator)})]},i.id))})]}),g&&g.draws.nodes.length>0&&o(S,{children:[o("h3",{children:s.lottery.mine}),o("ul",{className:"rows",children:g.draws.nodes.map(i=>o("li",{className:"line",children:[o("span",{children:i.name}),o("span",{className:"faint",children:r.time(i.drawnAt)})]},i.id))})]}),o("details",{children:[o("summary",{children:[s.lottery.committed," ",o("code",{children:[e.current.commitment.slice(0,12),"\u2026"]})]}),o("p",{children:o("code",{children:e.current.commitment})}),o("p",{className:"faint",children:s.lottery.reveals(r.time(e.current.revealsAt))})]})]})}var yt=5;function ft(){let{standing:e,programme:r,reading:t}=T(),{words:s}=t,a=r.units.find(({spendable:g})=>g)?.name??"points",n=e.balances.find(g=>g.unit===a),_=e.balances.filter(g=>g.unit!==a);if(!n)return null;let d=[[n.pending,s.points.pending],[n.held,s.points.held],[n.debt,s.points.debt]];return o(G,{name:"points",title:t.unit(a),children:[o("p",{className:"balance",children:[o("output",{className:"figure",children:t.number(n.available)})," ",r.pointValue&&o("span",{className:"faint",children:s.points.worth(t.money(n.available*Number(r.pointValue)))})]}),o("ul",{className:"chips",children:[d.filter(([g])=>g>0).map(([g,c])=>o("li",{children:[o("strong",{children:t.number(g)})," ",c]},c)),_.map(g=>o("li",{children:[o("strong",{children:t.number(g.available)})," ",t.unit(g.unit)]},g.unit))]}),o(io,{unit:a})]})}function io({unit:e}){let{reading:r}=T(),{words:t}=r,s=K(qr,{unit:e});if(s.state!=="there"||!s.data.viewer?.member)return null;let{nodes:a,pageInfo:n}=s.data.viewer.member.lots,_=new Map;for(let u of a)u.expiresAt&&_.set(r.dayOf(u.expiresAt),(_.get(r.dayOf(u.expiresAt))??0)+u.available);let d=[..._].filter(([,u])=>u>0),[g,c]=[d.slice(0,yt),d.slice(yt)],i=c.reduce((u,[,p])=>u+p,0);return o(S,{children:[o("h3",{children:t.points.expiry}),g.length===0?o("p",{className:"faint",children:t.points.never}):o("table",{className:"expiry",children:[o("thead",{className:"hidden",children:o("tr",{children:[o("th",{scope:"col",children:t.points.expires}),o("th",{scope:"col",children:t.points.amount})]})}),o("tbody",{children:[g.map(([u,p])=>o("tr",{children:[o("td",{children:r.day(u)}),o("td",{children:r.number(p)})]},u)),i>0&&o("tr",{children:[o("td",{children:t.points.rest}),o("td",{children:[n.hasNextPage?"> ":"",r.number(i)]})]})]})]})]})}function lt(){let{words:e}=T().reading,r=K(Gr,{});if(r.state!=="there")return o(q,{name:"quests",title:e.quests.heading,asked:r});let t=(r.data.viewer?.member?.quests??[]).filter(({status:s})=>s!=="OVER");return t.length===0?null:o(G,{name:"quests",title:e.quests.heading,children:o("ul",{className:"rows",children:t.map(s=>o(mo,{quest:s},s.name))})})}function mo({quest:e}){let{reading:r,member:t}=T(),{words:s}=r,a=ee(Qr),{current:n,required:_,ratio:d}=e.progress,g=s.tier.of(r.number(n),r.number(_)),c=e.status==="DONE"&&e.resetsAt?s.quests.again(r.day(e.resetsAt)):e.closesAt?s.quests.until(r.day(e.closesAt)):"";return o("li",{className:`quest-${e.status.toLowerCase()}`,children:[o("div",{className:"line",children:[o("span",{children:[o("strong",{children:e.title})," ",o("span",{className:"faint",children:s.quests.periods[e.period]??e.period})]}),o("span",{className:"gain",children:r.change(e.points,"points")})]}),o(ye,{ratio:Number(d),label:e.title,text:g}),o("div",{className:"line faint",children:[o("span",{children:g}),o("span",{children:[s.quests[e.status],c].filter(Boolean).join(" \xB7 ")})]}),e.status==="READY"&&o(re,{act:a,scope:"EARNING",label:`${s.quests.claim}: ${e.title}`,onPress:()=>a.run({member:{id:t.id},quest:e.name}),children:s.quests.claim})]})}function Ct(){let{reading:e,member:r}=T(),{words:t}=e,s=K(Hr,{member:{id:r.id},locale:e.locale});if(s.state!=="there")return o(q,{name:"rewards",title:t.rewards.heading,asked:s});let a=s.data.rewards??[],n=s.data.viewer?.member?.rewardOrders.nodes??[];return a.length+n.length===0?null:o(G,{name:"rewards",title:t.rewards.heading,children:[o("ul",{className:"cards",children:a.map(_=>o(go,{reward:_},_.id))}),n.length>0&&o(S,{children:[o("h3",{children:t.rewards.mine}),o("ul",{className:"rows",children:n.map(_=>o("li",{className:"line",children:[o("span",{children:[o("strong",{children:_.name})," ",_.quantity>1&&`\xD7 ${_.quantity}`," ",o("span",{className:"faint",children:e.day(_.requestedAt)}),_.codes.map(d=>o("code",{children:[t.rewards.code," ",d]},d))]}),o("span",{className:"faint",children:t.rewards.status[_.status]})]},_.id))})]})]})}function go({reward:e}){let{reading:r,member:t}=T(),{words:s}=r,a=ee(Wr),[n,_]=I("new"),d=tr("SPENDING"),g=r.amount(e.price,"points"),c=[e.stockLeft!=null&&e.stockLeft>0&&s.rewards.stock(e.stockLeft),e.limitLeft!=null&&e.limitLeft>0&&s.rewards.limit(e.limitLeft)].filter(Boolean),i=e.refusal&&!d?r.refused(e.refusal)??e.refusal.message:null,u=async()=>{_("answered"),await a.run({member:{id:t.id},reward:e.id,quantity:1,points:e.price})};return o("li",{className:e.refusal?"out":"",children:[o("span",{className:"faint",children:s.rewards.kinds[e.kind]}),o("strong",{children:e.name}),o("span",{className:"price",children:[g," ",e.listPrice!==e.price&&o("span",{className:"faint",children:s.rewards.instead(r.number(e.listPrice))})]}),c.length>0&&o("span",{className:"faint",children:c.join(" \xB7 ")}),i?o(S,{children:[o("p",{className:"stopped",children:i}),o(me,{said:a.said})]}):n==="asked"&&!d?o("div",{className:"act",role:"group","aria-label":s.rewards.confirm(e.name,g),children:[o("button",{type:"button",ref:or,...Oe(u),children:s.rewards.yes(g)}),o("button",{type:"button",className:"quiet",onClick:()=>_("answered"),children:s.rewards.no})]}):o(re,{act:a,scope:"SPENDING",label:`${s.rewards.redeem}: ${e.name}`,focused:n==="answered",onPress:()=>_("asked"),children:s.rewards.redeem})]})}function Ut(){let{reading:e,member:r}=T(),{words:t}=e,[s,a]=I(null),n=K(Vr,{month:s}),_=ee(Yr);if(n.state!=="there")return o(q,{name:"sign-in",title:t.signIn.heading,asked:n});let d=n.data.viewer?.member?.signIn;if(!d)return null;let g=e.dayOf(new Date(Date.parse(d.resetsAt)-1).toISOString()),c=d.ahead[0],i=c&&e.list(c.brings.map(({amount:u,unit:p})=>e.amount(u,p)));return o(G,{name:"sign-in",title:t.signIn.heading,aside:d.streak>0&&o("span",{className:"faint",children:t.signIn.streak(d.streak)}),children:[o(co,{month:s??g,today:g,signIn:d,onTurn:a}),d.doneToday?o("p",{className:"well",children:[t.signIn.done," ",i&&t.signIn.tomorrow(i)]}):i&&o("p",{children:t.signIn.brings(i)}),d.doneToday?o(me,{said:Ft(_.said,!0)}):o(re,{act:_,scope:"EARNING",onPress:()=>_.run({member:{id:r.id}}),children:t.signIn.act}),o(uo,{signIn:d}),o(po,{signIn:d})]})}var Ft=(e,r)=>r&&e?.refused?null:e;function po({signIn:e}){let{reading:r}=T();return e.ahead.length===0?null:o(S,{children:[o("h3",{children:r.words.signIn.ahead}),o("ol",{className:"ahead",children:e.ahead.map(({day:t,brings:s})=>o("li",{children:[o("span",{className:"faint",children:r.weekday(t)}),s.map(({unit:a,amount:n})=>o("strong",{title:r.unit(a),children:["+",r.number(n)]},a))]},t))})]})}function uo({signIn:e}){let{reading:r,member:t}=T(),{words:s}=r,a=ee(zr),[n,_]=I(),d=e.missed.at(-1),g=Ft(a.said,n!==d);return e.makeUpCost===null||e.makeUpCost===void 0?null:!d||e.makeUpsLeft===0?o(me,{said:g}):o(S,{children:[o(re,{act:{...a,said:g},scope:"SPENDING",quiet:!0,onPress:()=>{_(d),a.run({member:{id:t.id},day:d})},children:s.signIn.makeUp(r.day(d),r.amount(e.makeUpCost,"points"))}),o("p",{className:"faint",children:s.signIn.left(e.makeUpsLeft)})]})}var Et=(e,r)=>{let t=new Date(`${e.slice(0,7)}-01T12:00:00Z`);return t.setUTCMonth(t.getUTCMonth()+r),t.toISOString().slice(0,10)};function Rt(e){let r=new Date(`${e.slice(0,7)}-01T12:00:00Z`),t=Array.from({length:(r.getUTCDay()+6)%7},()=>null);for(let s=new Date(r);s.getUTCMonth()===r.getUTCMonth();s.setUTCDate(s.getUTCDate()+1))t.push(s.toISOString().slice(0,10));for(;t.length%7;)t.push(null);return Array.from({length:t.length/7},(s,a)=>t.slice(a*7,a*7+7))}function co({month:e,today:r,signIn:t,onTurn:s}){let{reading:a}=T(),{words:n}=a,_=new Map(t.calendar.map(i=>[i.day,i])),d=new Set(t.missed),g=e.slice(0,7)===r.slice(0,7),c=Et(e,1);return o(S,{children:[o("div",{className:"turning",children:[o("button",{type:"button",className:"quiet","aria-label":n.signIn.former,onClick:()=>s(Et(e,-1)),children:"\u2039"}),o("span",{"aria-live":"polite",children:a.month(e.slice(0,7)+"-01")}),o("button",{type:"button",className:"quiet","aria-label":n.signIn.later,disabled:g,onClick:()=>s(c.slice(0,7)===r.slice(0,7)?null:c),children:"\u203A"})]}),o("table",{className:"month",children:[o("caption",{className:"hidden",children:n.signIn.heading}),o("thead",{children:o("tr",{children:Rt("2024-01-01")[0].map(i=>o("th",{scope:"col",children:a.weekday(i)},i))})}),o("tbody",{children:Rt(e).map((i,u)=>o("tr",{children:i.map((p,m)=>{if(!p)return o("td",{},m);let y=_.get(p),R=y?y.isMadeUp?"madeUp":"signed":d.has(p)?"missed":null;return o("td",{className:R??"","aria-current":p===r?"date":void 0,children:[o("span",{children:Number(p.slice(8))}),R&&o("span",{className:"hidden",children:[", ",n.signIn[R]]})]},m)})},u))})]})]})}function ht(){let{standing:e,programme:r,reading:t}=T(),{words:s}=t,{tier:a,progress:n,keeping:_}=e;if(!a)return null;let d=n?.nextTier,g=r.tiers.findIndex(({code:c})=>c===a.code);return o(G,{name:"tier",title:s.tier.heading,children:[o("p",{className:"balance",children:[o("span",{className:"figure",children:a.name})," ",o("span",{className:"faint",children:s.tier.since(t.day(e.tierSince))})]}),o("div",{className:"standing",children:[o("ol",{className:"ladder","aria-label":s.tier.ladder,children:r.tiers.map(({code:c,name:i},u)=>o("li",{className:u<=g?"reached":"","aria-current":c===a.code?"step":void 0,children:i},c))}),o("div",{className:"way",children:[d&&n?o(S,{children:[o("h3",{children:s.tier.next(d.name)}),o(ye,{ratio:n.ratio,label:s.tier.next(d.name),text:t.percent(n.ratio)}),n.criteria.length>1&&o("p",{className:"faint",children:n.mode==="ANY"?s.tier.any:s.tier.all}),o(Nt,{criteria:n.criteria}),n.brings.length>0&&o("p",{className:"brings",children:[o("span",{className:"faint",children:[s.tier.brings(d.name),":"]})," ",t.list(n.brings.map(({name:c})=>c))]})]}):o("p",{className:"top-reached",children:s.tier.top}),_&&o(S,{children:[o("h3",{children:s.tier.keeping}),o("p",{children:_.state==="LOCKED"?s.tier.LOCKED(t.day(_.lockedUntil)):s.tier[_.state](t.day(_.state==="GRACE"?_.lostAt:_.judgedAt),_.projectedTier.name)}),_.state!=="SAFE"&&o(Nt,{criteria:_.criteria})]})]})]})]})}function Nt({criteria:e}){let{reading:r}=T(),{words:t}=r;return o("ul",{className:"criteria",children:e.map(s=>{let a=s.fact==="spend"?r.money:r.number,n=t.facts[s.fact]??s.description,{window:_,current:d,required:g,remaining:c,ratio:i}=s,u=_?.months?t.tier.months(_.months):_?.days?t.tier.days(_.days):"",p=t.tier.of(a(d),a(g));return o("li",{children:[o("div",{className:"line",children:[o("span",{children:[n," ",o("span",{className:"faint",children:u})]}),o("span",{children:[p," \xB7 ",o("strong",{children:i>=1?t.tier.met:t.tier.left(a(c))})]})]}),o(ye,{ratio:i,label:n,text:p})]},s.fact+u)})})}var St={title:"Member centre",skip:"Skip to the content",language:{name:"English",other:"\u4E2D\u6587",switchTo:"\u7528\u4E2D\u6587\u9605\u8BFB"},welcome:{heading:"Your membership",lead:"Points, tiers and rewards, live from the graph.",choose:"Be one of the sample members",enter:"Sign in",noTier:"no tier yet",paste:"Or paste a member\u2019s token",pasteOnly:"Paste a member\u2019s token",help:"It stays in this tab and is gone when the tab is closed.",notMember:"This token isn\u2019t a member\u2019s. The member centre is for members only.",noSamples:"The sample members can\u2019t be had at the moment. Try again.",ended:"You were signed out, as the sign-in has ended. Please sign in again.",unreachable:"The server can\u2019t be reached. Try again in a moment."},bar:{member:"Member",signOut:"Sign out",live:"Live",lost:"Connection lost"},line:{lost:"The connection is lost. What you see is how it was; it is tried again by itself.",back:"The connection is back, and everything is up to date."},upgraded:{text:"There is a new version of this page.",reload:"Reload"},frozen:{heading:"Your membership is frozen",closed:"Your membership has ended",EARNING:"You can\u2019t earn at the moment. What you have can be spent.",SPENDING:"You can\u2019t spend at the moment. What you do still earns.",BOTH:"You can neither earn nor spend at the moment. What you have stays yours.",until:e=>`It ends by itself on ${e}.`,ask:"Please contact us if you don\u2019t know why.",instead:"Not possible while your membership is frozen",insteadClosed:"Not possible, as your membership has ended"},erased:{heading:"Your personal data was erased",text:e=>`Since ${e} nobody here knows whose membership this was, and it has ended. What is left of it tells nothing of you.`},loading:"One moment \u2026",failed:"This part can\u2019t be shown at the moment.",again:"Try again",unsent:"Nobody answered, and it is not known whether it was done. Press again: it is never done twice.",units:{points:"Points",growth:"Growth"},amount:(e,r)=>`${e} ${r==="points"&&/^[+-]?1$/.test(e)?"point":r}`,done:e=>e?`Done: ${e}`:"Done",points:{worth:e=>`worth ${e}`,pending:"on their way",held:"set aside",debt:"owed",expiry:"When they expire",never:"Nothing you have expires.",rest:"later",expires:"Expires",amount:"Points"},tier:{heading:"Your tier",since:e=>`since ${e}`,next:e=>`On the way to ${e}`,top:"You are at the top.",all:"all of these are needed",any:"one of these is enough",left:e=>`${e} to go`,met:"reached",of:(e,r)=>`${e} of ${r}`,brings:e=>`${e} also brings`,ladder:"All tiers",keeping:"Keeping it",SAFE:e=>`Yours is safe: it is looked at next on ${e}.`,AT_RISK:(e,r)=>`Not kept yet: on ${e} you would move to ${r}.`,GRACE:(e,r)=>`In days of grace: on ${e} you move to ${r}, unless enough is reached before.`,LOCKED:e=>`Yours whatever happens until ${e}.`,months:e=>e===1?"in a month":`in ${e} months`,days:e=>e===1?"in a day":`in ${e} days`},facts:{points_earned:"Points earned",growth_earned:"Growth earned",spend:"Spent",orders:"Orders",sign_ins:"Days signed in",referrals:"Friends brought",reviews:"Reviews"},signIn:{heading:"Sign-in",streak:e=>e===1?"1 day in a row":`${e} days in a row`,act:"Sign in for today",brings:e=>`Today brings ${e}`,tomorrow:e=>`Come back tomorrow for ${e}`,done:"You have signed in today.",former:"Month before",later:"Month after",signed:"signed in",madeUp:"made up",missed:"missed",makeUp:(e,r)=>`Make up ${e} for ${r}`,left:e=>e===1?"One day more this month":`${e} days more this month`,ahead:"The days ahead"},quests:{heading:"Quests",AHEAD:"Begins later",OPEN:"",READY:"Ready to claim",DONE:"Done",OTHER_TIER:"For other tiers",OVER:"Over",periods:{once:"once",daily:"every day",weekly:"every week",monthly:"every month"},claim:"Claim",again:e=>`again from ${e}`,until:e=>`until ${e}`},badges:{heading:"Badges",has:e=>`Yours since ${e}`,level:(e,r)=>`Level ${e} of ${r}`,brings:e=>`brings ${e}`},rewards:{heading:"Rewards",redeem:"Redeem",confirm:(e,r)=>`Redeem ${e} for ${r}?`,yes:e=>`Yes, for ${e}`,no:"Not now",instead:e=>`instead of ${e}`,stock:e=>e===1?"the last one":`${e} left`,limit:e=>e===1?"one more for you":`${e} more for you`,mine:"What you have redeemed",code:"Code",kinds:{GOODS:"Goods",VOUCHER:"Voucher",SERVICE:"Service"},status:{REQUESTED:"being prepared",FULFILLED:"on its way",DELIVERED:"received",CANCELLED:"cancelled"}},checkout:{heading:"Pay with points",basket:"Your basket comes to",pays:"Points pay",rest:"You pay",uses:"Points used",earns:"This order earns",hold:e=>`Set ${e} aside`,nothing:"No points can be used for this basket.",limits:{RATIO:"That is the largest part of a basket that points may pay for.",AMOUNT:"That is the most that points may pay for in one basket.",POINTS:"That is all that your points pay for.",BASKET:"That is all of it."},held:"Set aside",until:e=>`until ${e}`,release:"Give back",why:"The shop takes them when the order is paid; otherwise they come back by themselves."},lottery:{heading:"Lottery",draw:e=>`Draw for ${e}`,odds:"The odds, as they are used",prize:"Prize",chance:"Chance",exact:"Of the numbers",left:e=>`${e} left`,drawsLeft:e=>e===1?"One draw left":`${e} draws left`,pity:e=>e===1?"The next draw brings a prize.":`One of the next ${e} draws brings a prize.`,won:e=>`You drew: ${e}`,because:{ROLL:"",SOLD_OUT:"in place of a prize that is out of stock",PITY:"as promised after bad luck"},mine:"Your last draws",committed:"The draws of this period are settled by a seed whose fingerprint is",reveals:e=>`The seed is shown on ${e}, and everybody can check then.`},history:{heading:"History",empty:"Nothing has happened yet.",more:"Show more",why:"Why?",close:"Close",balance:e=>`then ${e}`,setAside:e=>`${e} set aside`,givenBack:e=>`${e} no longer set aside`,reversed:"taken back, at least in part",nothing:"nothing was given or taken",kinds:{refund:"Refund",expire:"Expired",adjust:"Adjusted by our staff",reverse:"Reversed",redeem:"Redeemed",hold:"Set aside",release:"Given back",capture:"Spent",cancel:"Cancelled",draw:"Draw",make_up:"Day made up",freeze:"Frozen",unfreeze:"No longer frozen",enrol:"Joined"}},refused:{INSUFFICIENT_POINTS:e=>`That takes ${e.number(e.needed)}, and you have ${e.number(e.available)}.`,MEMBER_FROZEN:()=>"Your membership is frozen for this.",MEMBER_NOT_ACTIVE:()=>"Your membership doesn\u2019t allow this at present.",ALREADY_SIGNED_IN:e=>`You have signed in today. The next day begins on ${e.time(e.resetsAt)}.`,MAKE_UPS_USED_UP:e=>`No more days can be made up before ${e.day(e.resetsAt)}.`,REWARD_LIMIT_REACHED:e=>e.resetsAt?`You have had as many as there may be. More from ${e.day(e.resetsAt)}.`:"You have had as many as there may be.",REWARD_SOLD_OUT:()=>"Sold out.",REWARD_NOT_YET_OPEN:e=>`From ${e.time(e.opensAt)}.`,REWARD_CLOSED:()=>"It is over.",REWARD_OF_OTHER_TIER:e=>`For ${e.tiers}.`,REWARD_PRICE_CHANGED:e=>`It costs ${e.number(e.price)} by now. Please look again.`,LOTTERY_LIMIT_REACHED:e=>e.resetsAt?`No more draws until ${e.time(e.resetsAt)}.`:"You have no draws left.",LOTTERY_NOT_YET_OPEN:e=>`From ${e.time(e.opensAt)}.`,LOTTERY_CLOSED:()=>"It is over.",LOTTERY_OF_OTHER_TIER:e=>`For ${e.tiers}.`,LOTTERY_PRICE_CHANGED:e=>`A draw costs ${e.number(e.price)} by now. Please look again.`,QUEST_ALREADY_DONE:()=>"You have been given this already.",QUEST_NOT_REACHED:e=>`Not yet: ${e.number(e.current)} of ${e.number(e.required)}.`,CHECKOUT_PRICE_CHANGED:e=>`It takes ${e.number(e.price)} points by now. Please look again.`,EXCEEDS_CHECKOUT:e=>`No more than ${e.amountMax} of this basket can be paid with points.`,INVALID_AMOUNT:()=>"This isn\u2019t an amount."},other:e=>`It was refused: ${e}`};var Ot={title:"\u4F1A\u5458\u4E2D\u5FC3",skip:"\u8DF3\u5230\u6B63\u6587",language:{name:"\u4E2D\u6587",other:"English",switchTo:"Read in English"},welcome:{heading:"\u60A8\u7684\u4F1A\u5458",lead:"\u79EF\u5206\u3001\u7B49\u7EA7\u4E0E\u793C\u54C1\uFF0C\u5B9E\u65F6\u53D6\u81EA\u6570\u636E\u56FE\u3002",choose:"\u4EE5\u793A\u4F8B\u4F1A\u5458\u767B\u5F55",enter:"\u767B\u5F55",noTier:"\u6682\u65E0\u7B49\u7EA7",paste:"\u6216\u7C98\u8D34\u4F1A\u5458\u4EE4\u724C",pasteOnly:"\u7C98\u8D34\u4F1A\u5458\u4EE4\u724C",help:"\u4EE4\u724C\u53EA\u4FDD\u5B58\u5728\u672C\u6807\u7B7E\u9875\uFF0C\u5173\u95ED\u5373\u6D88\u5931\u3002",notMember:"\u8FD9\u4E0D\u662F\u4F1A\u5458\u7684\u4EE4\u724C\u3002\u4F1A\u5458\u4E2D\u5FC3\u53EA\u4F9B\u4F1A\u5458\u4F7F\u7528\u3002",noSamples:"\u6682\u65F6\u65E0\u6CD5\u53D6\u5F97\u793A\u4F8B\u4F1A\u5458\uFF0C\u8BF7\u91CD\u8BD5\u3002",ended:"\u767B\u5F55\u5DF2\u5230\u671F\uFF0C\u8BF7\u91CD\u65B0\u767B\u5F55\u3002",unreachable:"\u65E0\u6CD5\u8FDE\u63A5\u670D\u52A1\u5668\uFF0C\u8BF7\u7A0D\u540E\u91CD\u8BD5\u3002"},bar:{member:"\u4F1A\u5458",signOut:"\u9000\u51FA",live:"\u5B9E\u65F6",lost:"\u8FDE\u63A5\u4E2D\u65AD"},line:{lost:"\u8FDE\u63A5\u5DF2\u4E2D\u65AD\u3002\u60A8\u770B\u5230\u7684\u662F\u4E2D\u65AD\u524D\u7684\u5185\u5BB9\uFF0C\u6B63\u5728\u81EA\u52A8\u91CD\u8FDE\u3002",back:"\u8FDE\u63A5\u5DF2\u6062\u590D\uFF0C\u5185\u5BB9\u5DF2\u662F\u6700\u65B0\u3002"},upgraded:{text:"\u672C\u9875\u9762\u6709\u65B0\u7248\u672C\u3002",reload:"\u91CD\u65B0\u8F7D\u5165"},frozen:{heading:"\u60A8\u7684\u4F1A\u5458\u5DF2\u88AB\u51BB\u7ED3",closed:"\u60A8\u7684\u4F1A\u5458\u8D44\u683C\u5DF2\u7EC8\u6B62",EARNING:"\u76EE\u524D\u4E0D\u80FD\u83B7\u5F97\u79EF\u5206\uFF0C\u5DF2\u6709\u79EF\u5206\u4ECD\u53EF\u4F7F\u7528\u3002",SPENDING:"\u76EE\u524D\u4E0D\u80FD\u4F7F\u7528\u79EF\u5206\uFF0C\u4ECD\u53EF\u7EE7\u7EED\u83B7\u5F97\u3002",BOTH:"\u76EE\u524D\u4E0D\u80FD\u83B7\u5F97\u4E5F\u4E0D\u80FD\u4F7F\u7528\u79EF\u5206\uFF0C\u5DF2\u6709\u79EF\u5206\u4ECD\u5F52\u60A8\u6240\u6709\u3002",until:e=>`${e}\u81EA\u52A8\u89E3\u9664\u3002`,ask:"\u5982\u4E0D\u6E05\u695A\u539F\u56E0\uFF0C\u8BF7\u8054\u7CFB\u6211\u4EEC\u3002",instead:"\u4F1A\u5458\u51BB\u7ED3\u671F\u95F4\u4E0D\u53EF\u64CD\u4F5C",insteadClosed:"\u4F1A\u5458\u8D44\u683C\u5DF2\u7EC8\u6B62\uFF0C\u4E0D\u53EF\u64CD\u4F5C"},erased:{heading:"\u60A8\u7684\u4E2A\u4EBA\u4FE1\u606F\u5DF2\u5220\u9664",text:e=>`\u81EA${e}\u8D77\uFF0C\u6B64\u5904\u65E0\u4EBA\u77E5\u9053\u8FD9\u662F\u8C01\u7684\u4F1A\u5458\uFF0C\u4F1A\u5458\u8D44\u683C\u4E5F\u5DF2\u7EC8\u6B62\u3002\u7559\u5B58\u7684\u8BB0\u5F55\u4E0D\u542B\u60A8\u7684\u4E2A\u4EBA\u4FE1\u606F\u3002`},loading:"\u8BF7\u7A0D\u5019\u2026\u2026",failed:"\u6B64\u90E8\u5206\u6682\u65F6\u65E0\u6CD5\u663E\u793A\u3002",again:"\u91CD\u8BD5",unsent:"\u6CA1\u6709\u6536\u5230\u7B54\u590D\uFF0C\u5C1A\u4E0D\u77E5\u662F\u5426\u5B8C\u6210\u3002\u8BF7\u518D\u6309\u4E00\u6B21\uFF1A\u7EDD\u4E0D\u4F1A\u91CD\u590D\u6267\u884C\u3002",units:{points:"\u79EF\u5206",growth:"\u6210\u957F\u503C"},amount:(e,r)=>`${e} ${r}`,done:e=>e?`\u5DF2\u5B8C\u6210\uFF1A${e}`:"\u5DF2\u5B8C\u6210",points:{worth:e=>`\u4EF7\u503C ${e}`,pending:"\u5F85\u5230\u8D26",held:"\u5DF2\u9884\u7559",debt:"\u6B20\u6B3E",expiry:"\u5230\u671F\u65F6\u95F4",never:"\u60A8\u7684\u79EF\u5206\u4E0D\u4F1A\u8FC7\u671F\u3002",rest:"\u66F4\u665A",expires:"\u5230\u671F\u65E5",amount:"\u79EF\u5206"},tier:{heading:"\u60A8\u7684\u7B49\u7EA7",since:e=>`\u81EA${e}\u8D77`,next:e=>`\u8DDD\u79BB ${e}`,top:"\u60A8\u5DF2\u662F\u6700\u9AD8\u7B49\u7EA7\u3002",all:"\u987B\u5168\u90E8\u8FBE\u5230",any:"\u8FBE\u5230\u5176\u4E00\u5373\u53EF",left:e=>`\u8FD8\u5DEE ${e}`,met:"\u5DF2\u8FBE\u5230",of:(e,r)=>`${e} / ${r}`,brings:e=>`${e} \u8FD8\u5C06\u5E26\u6765`,ladder:"\u5168\u90E8\u7B49\u7EA7",keeping:"\u4FDD\u7EA7",SAFE:e=>`\u7B49\u7EA7\u7A33\u56FA\uFF0C${e}\u518D\u6B21\u8BC4\u5B9A\u3002`,AT_RISK:(e,r)=>`\u5C1A\u672A\u4FDD\u4F4F\uFF1A${e}\u5C06\u53D8\u4E3A ${r}\u3002`,GRACE:(e,r)=>`\u5BBD\u9650\u671F\u5185\uFF1A\u82E5\u672A\u8FBE\u6807\uFF0C${e}\u53D8\u4E3A ${r}\u3002`,LOCKED:e=>`${e}\u4E4B\u524D\u4FDD\u6301\u4E0D\u53D8\u3002`,months:e=>`${e} \u4E2A\u6708\u5185`,days:e=>`${e} \u5929\u5185`},facts:{points_earned:"\u83B7\u5F97\u79EF\u5206",growth_earned:"\u83B7\u5F97\u6210\u957F\u503C",spend:"\u6D88\u8D39\u91D1\u989D",orders:"\u8BA2\u5355",sign_ins:"\u7B7E\u5230\u5929\u6570",referrals:"\u9080\u8BF7\u597D\u53CB",reviews:"\u8BC4\u4EF7"},signIn:{heading:"\u7B7E\u5230",streak:e=>`\u5DF2\u8FDE\u7EED\u7B7E\u5230 ${e} \u5929`,act:"\u4ECA\u65E5\u7B7E\u5230",brings:e=>`\u4ECA\u65E5\u53EF\u5F97 ${e}`,tomorrow:e=>`\u660E\u5929\u518D\u6765\u53EF\u5F97 ${e}`,done:"\u4ECA\u65E5\u5DF2\u7B7E\u5230\u3002",former:"\u4E0A\u4E2A\u6708",later:"\u4E0B\u4E2A\u6708",signed:"\u5DF2\u7B7E\u5230",madeUp:"\u5DF2\u8865\u7B7E",missed:"\u6F0F\u7B7E",makeUp:(e,r)=>`\u7528 ${r} \u8865\u7B7E ${e}`,left:e=>`\u672C\u6708\u8FD8\u53EF\u8865\u7B7E ${e} \u6B21`,ahead:"\u63A5\u4E0B\u6765\u51E0\u5929"},quests:{heading:"\u4EFB\u52A1",AHEAD:"\u5C1A\u672A\u5F00\u59CB",OPEN:"",READY:"\u53EF\u9886\u53D6",DONE:"\u5DF2\u5B8C\u6210",OTHER_TIER:"\u4EC5\u9650\u5176\u4ED6\u7B49\u7EA7",OVER:"\u5DF2\u7ED3\u675F",periods:{once:"\u4E00\u6B21",daily:"\u6BCF\u5929",weekly:"\u6BCF\u5468",monthly:"\u6BCF\u6708"},claim:"\u9886\u53D6",again:e=>`${e}\u8D77\u53EF\u518D\u6B21\u5B8C\u6210`,until:e=>`\u622A\u81F3${e}`},badges:{heading:"\u5FBD\u7AE0",has:e=>`${e}\u83B7\u5F97`,level:(e,r)=>`\u7B2C ${e} \u7EA7\uFF0C\u5171 ${r} \u7EA7`,brings:e=>`\u53EF\u5F97 ${e}`},rewards:{heading:"\u793C\u54C1\u5151\u6362",redeem:"\u5151\u6362",confirm:(e,r)=>`\u7528 ${r} \u5151\u6362 ${e}\uFF1F`,yes:e=>`\u786E\u8BA4\uFF0C\u4F7F\u7528 ${e}`,no:"\u6682\u4E0D",instead:e=>`\u539F\u4EF7 ${e}`,stock:e=>`\u5269\u4F59 ${e} \u4EF6`,limit:e=>`\u60A8\u8FD8\u53EF\u5151\u6362 ${e} \u4EF6`,mine:"\u60A8\u7684\u5151\u6362",code:"\u5238\u7801",kinds:{GOODS:"\u5B9E\u7269",VOUCHER:"\u5238",SERVICE:"\u670D\u52A1"},status:{REQUESTED:"\u51C6\u5907\u4E2D",FULFILLED:"\u5DF2\u53D1\u51FA",DELIVERED:"\u5DF2\u6536\u5230",CANCELLED:"\u5DF2\u53D6\u6D88"}},checkout:{heading:"\u79EF\u5206\u62B5\u6263",basket:"\u8D2D\u7269\u91D1\u989D",pays:"\u79EF\u5206\u62B5\u6263",rest:"\u5B9E\u4ED8",uses:"\u4F7F\u7528\u79EF\u5206",earns:"\u672C\u5355\u53EF\u5F97",hold:e=>`\u9884\u7559 ${e}`,nothing:"\u6B64\u5355\u4E0D\u80FD\u4F7F\u7528\u79EF\u5206\u3002",limits:{RATIO:"\u5DF2\u8FBE\u6BCF\u5355\u53EF\u62B5\u6263\u7684\u6700\u9AD8\u6BD4\u4F8B\u3002",AMOUNT:"\u5DF2\u8FBE\u6BCF\u5355\u53EF\u62B5\u6263\u7684\u6700\u9AD8\u91D1\u989D\u3002",POINTS:"\u60A8\u7684\u79EF\u5206\u6700\u591A\u53EF\u62B5\u6263\u8FD9\u4E9B\u3002",BASKET:"\u5DF2\u5168\u989D\u62B5\u6263\u3002"},held:"\u5DF2\u9884\u7559",until:e=>`\u81F3 ${e}`,release:"\u9000\u56DE",why:"\u4ED8\u6B3E\u540E\u7531\u5546\u5BB6\u6263\u9664\uFF0C\u5426\u5219\u81EA\u52A8\u9000\u56DE\u3002"},lottery:{heading:"\u62BD\u5956",draw:e=>`\u7528 ${e} \u62BD\u4E00\u6B21`,odds:"\u516C\u5E03\u7684\u4E2D\u5956\u6982\u7387\uFF0C\u5373\u5B9E\u9645\u4F7F\u7528\u7684\u6982\u7387",prize:"\u5956\u54C1",chance:"\u6982\u7387",exact:"\u53F7\u7801\u6570",left:e=>`\u5269\u4F59 ${e}`,drawsLeft:e=>`\u8FD8\u53EF\u62BD ${e} \u6B21`,pity:e=>e===1?"\u4E0B\u4E00\u6B21\u5FC5\u6709\u5956\u54C1\u3002":`\u6700\u8FDF\u7B2C ${e} \u6B21\u5FC5\u6709\u5956\u54C1\u3002`,won:e=>`\u62BD\u4E2D\uFF1A${e}`,because:{ROLL:"",SOLD_OUT:"\u539F\u5956\u54C1\u5DF2\u53D1\u5B8C\uFF0C\u4EE5\u6B64\u4EE3\u66FF",PITY:"\u8FDE\u7EED\u672A\u4E2D\u7684\u4FDD\u5E95"},mine:"\u6700\u8FD1\u62BD\u5956",committed:"\u672C\u671F\u62BD\u5956\u7531\u4E00\u4E2A\u79CD\u5B50\u51B3\u5B9A\uFF0C\u5176\u6307\u7EB9\u4E3A",reveals:e=>`\u79CD\u5B50\u4E8E ${e} \u516C\u5E03\uFF0C\u5C4A\u65F6\u4EBA\u4EBA\u53EF\u4EE5\u9A8C\u8BC1\u3002`},history:{heading:"\u660E\u7EC6",empty:"\u6682\u65E0\u8BB0\u5F55\u3002",more:"\u663E\u793A\u66F4\u591A",why:"\u4E3A\u4EC0\u4E48\uFF1F",close:"\u6536\u8D77",balance:e=>`\u4F59\u989D ${e}`,setAside:e=>`\u9884\u7559 ${e}`,givenBack:e=>`\u89E3\u9664\u9884\u7559 ${e}`,reversed:"\u5DF2\u64A4\u56DE\u6216\u90E8\u5206\u64A4\u56DE",nothing:"\u6CA1\u6709\u53D8\u52A8",kinds:{refund:"\u9000\u6B3E",expire:"\u8FC7\u671F",adjust:"\u5BA2\u670D\u8C03\u6574",reverse:"\u64A4\u56DE",redeem:"\u4F7F\u7528",hold:"\u9884\u7559",release:"\u9000\u56DE",capture:"\u6263\u9664",cancel:"\u53D6\u6D88",draw:"\u62BD\u5956",make_up:"\u8865\u7B7E",freeze:"\u51BB\u7ED3",unfreeze:"\u89E3\u9664\u51BB\u7ED3",enrol:"\u52A0\u5165\u4F1A\u5458"}},refused:{INSUFFICIENT_POINTS:e=>`\u9700\u8981 ${e.number(e.needed)}\uFF0C\u60A8\u6709 ${e.number(e.available)}\u3002`,MEMBER_FROZEN:()=>"\u60A8\u7684\u4F1A\u5458\u5DF2\u88AB\u51BB\u7ED3\uFF0C\u4E0D\u53EF\u64CD\u4F5C\u3002",MEMBER_NOT_ACTIVE:()=>"\u60A8\u7684\u4F1A\u5458\u76EE\u524D\u4E0D\u53EF\u5982\u6B64\u64CD\u4F5C\u3002",ALREADY_SIGNED_IN:e=>`\u4ECA\u65E5\u5DF2\u7B7E\u5230\uFF0C${e.time(e.resetsAt)}\u8D77\u53EF\u518D\u6B21\u7B7E\u5230\u3002`,MAKE_UPS_USED_UP:e=>`\u8865\u7B7E\u6B21\u6570\u5DF2\u7528\u5B8C\uFF0C${e.day(e.resetsAt)}\u8D77\u6062\u590D\u3002`,REWARD_LIMIT_REACHED:e=>e.resetsAt?`\u5DF2\u8FBE\u5151\u6362\u4E0A\u9650\uFF0C${e.day(e.resetsAt)}\u8D77\u53EF\u518D\u5151\u6362\u3002`:"\u5DF2\u8FBE\u5151\u6362\u4E0A\u9650\u3002",REWARD_SOLD_OUT:()=>"\u5DF2\u5151\u5B8C\u3002",REWARD_NOT_YET_OPEN:e=>`${e.time(e.opensAt)}\u5F00\u59CB\u3002`,REWARD_CLOSED:()=>"\u5DF2\u7ED3\u675F\u3002",REWARD_OF_OTHER_TIER:e=>`\u4EC5\u9650 ${e.tiers}\u3002`,REWARD_PRICE_CHANGED:e=>`\u73B0\u4EF7 ${e.number(e.price)} \u79EF\u5206\uFF0C\u8BF7\u518D\u786E\u8BA4\u3002`,LOTTERY_LIMIT_REACHED:e=>e.resetsAt?`\u6B21\u6570\u5DF2\u7528\u5B8C\uFF0C${e.time(e.resetsAt)}\u8D77\u6062\u590D\u3002`:"\u6B21\u6570\u5DF2\u7528\u5B8C\u3002",LOTTERY_NOT_YET_OPEN:e=>`${e.time(e.opensAt)}\u5F00\u59CB\u3002`,LOTTERY_CLOSED:()=>"\u5DF2\u7ED3\u675F\u3002",LOTTERY_OF_OTHER_TIER:e=>`\u4EC5\u9650 ${e.tiers}\u3002`,LOTTERY_PRICE_CHANGED:e=>`\u73B0\u5728\u6BCF\u6B21 ${e.number(e.price)} \u79EF\u5206\uFF0C\u8BF7\u518D\u786E\u8BA4\u3002`,QUEST_ALREADY_DONE:()=>"\u60A8\u5DF2\u9886\u53D6\u3002",QUEST_NOT_REACHED:e=>`\u5C1A\u672A\u5B8C\u6210\uFF1A${e.number(e.current)} / ${e.number(e.required)}\u3002`,CHECKOUT_PRICE_CHANGED:e=>`\u73B0\u9700 ${e.number(e.price)} \u79EF\u5206\uFF0C\u8BF7\u518D\u786E\u8BA4\u3002`,EXCEEDS_CHECKOUT:e=>`\u6B64\u5355\u6700\u591A\u53EF\u7528\u79EF\u5206\u62B5\u6263 ${e.amountMax}\u3002`,INVALID_AMOUNT:()=>"\u8FD9\u4E0D\u662F\u6709\u6548\u7684\u91D1\u989D\u3002"},other:e=>`\u672A\u80FD\u5B8C\u6210\uFF1A${e}`};var yo={en:{words:St,tag:"en-GB",html:"en",locale:"EN"},zh:{words:Ot,tag:"zh-CN",html:"zh-Hans",locale:"ZH"}};function It(e,r){let t=e.searchParams.get("lang");return t==="en"||t==="zh"?t:r.toLowerCase().startsWith("zh")?"zh":"en"}function Tt(e,r){let t=new URL(e);return t.searchParams.set("lang",r),t.href}function bt(e,r){let{timezone:t="UTC",currency:s="",tiers:a=[],channels:n=[]}=r??{},{words:_,tag:d,html:g,locale:c}=yo[e],i=new Intl.NumberFormat(d,{maximumFractionDigits:2}),u=new Intl.NumberFormat(d,{style:"percent",maximumSignificantDigits:3}),p=new Intl.DateTimeFormat(d,{timeZone:t,dateStyle:"medium"}),m=new Intl.DateTimeFormat(d,{timeZone:t,dateStyle:"medium",timeStyle:"short"}),y=new Intl.DateTimeFormat(d,{timeZone:"UTC",year:"numeric",month:"long"}),R=new Intl.DateTimeFormat(d,{timeZone:"UTC",weekday:e==="zh"?"narrow":"short"}),E=new Intl.DateTimeFormat("en-CA",{timeZone:t,year:"numeric",month:"2-digit",day:"2-digit"}),C=s?new Intl.NumberFormat(d,{style:"currency",currency:s,currencyDisplay:"narrowSymbol"}):i,f=l=>new Date(`${l}T12:00:00Z`),U=new Intl.DateTimeFormat(d,{timeZone:"UTC",dateStyle:"medium"}),h=l=>i.format(Number(l??0)),V=l=>l?l.length===10?U.format(f(l)):p.format(new Date(l)):"",L=l=>l?m.format(new Date(l)):"",w=l=>_.units[l]??l,Q=(l,B)=>_.amount(h(l),w(B).toLowerCase());return{language:e,words:_,html:g,locale:c,number:h,percent:l=>u.format(l),money:l=>C.format(Number(l)),digits:C.resolvedOptions().maximumFractionDigits??2,day:V,time:L,month:l=>y.format(f(l)),weekday:l=>R.format(f(l)),dayOf:l=>E.format(new Date(l)),unit:w,channel:l=>n.find(({channel:B})=>B===l)?.name??l,amount:Q,change:(l,B)=>(l>0?"+":"")+Q(l,B).replace("-","\u2212"),list:l=>l.join(e==="zh"?"\u3001":", "),refused:l=>{let B=l.tiers?.split(", ").map(z=>a.find(H=>H.code===z)?.name??z),X={...l,tiers:B?.join(e==="zh"?"\u3001":", "),number:h,day:V,time:L};return _.refused[l.code]?.(X)}}}var fo=8e3,lo=1e3,xe="laurel:centre",At=new URL(location.href),wt=It(At,navigator.language);async function Co(e,r){let{viewer:t,programme:s}=await ie(e,Kr,{locale:r});if(!t?.member||!s)throw new Error("no member");return{token:e,member:t.member,programme:s}}function Eo(){let[e,r]=I(null),[t,s]=I(""),[a,n]=I(!1),_=bt(wt,e?.programme),{words:d}=_,g=ce(async i=>{try{r(await Co(i,_.locale)),sessionStorage.setItem(xe,i),s("")}catch(u){u instanceof oe||sessionStorage.removeItem(xe),s(u instanceof oe?d.welcome.unreachable:u instanceof _e?d.welcome.ended:d.welcome.notMember)}},[]),c=ce(i=>{sessionStorage.removeItem(xe),s(i?d.welcome.ended:""),r(null)},[]);return Z(()=>{let i=sessionStorage.getItem(xe);(i?g(i):Promise.resolve()).then(()=>n(!0))},[]),Z(()=>{document.documentElement.lang=_.html,document.title=e?`${d.title} \xB7 ${e.programme.name}`:d.title},[e]),a?e?o(Uo,{session:e,read:_,signOut:c},e.token):o(Ro,{read:_,said:t,enter:g}):o("p",{className:"faint center",children:d.loading})}function vt({read:e}){let r=wt==="zh"?"en":"zh";return o("a",{href:Tt(At,r),lang:r==="zh"?"zh-Hans":"en",hreflang:r,title:e.words.language.switchTo,children:e.words.language.other})}function Ro({read:e,said:r,enter:t}){let{words:s}=e,a=ae(),[n,_]=I([]),[d,g]=I(""),[c,i]=I(!1);Z(()=>{at&&_t().then(_,()=>g(s.welcome.noSamples))},[]);let u=async p=>{i(!0);try{await t(await p())}catch{g(s.welcome.noSamples)}finally{i(!1)}};return o("div",{className:"welcome",children:[o("header",{className:"top",children:[o("strong",{children:"Laurel"})," ",o("nav",{children:o(vt,{read:e})})]}),o("main",{children:[o("h1",{children:s.welcome.heading}),o("p",{className:"faint",children:s.welcome.lead}),o("p",{role:"alert",className:"refused",children:r||d}),n.length>0&&o(S,{children:[o("h2",{children:s.welcome.choose}),o("ul",{className:"samples",children:n.map(({externalId:p,tier:m})=>o("li",{children:o("button",{type:"button",disabled:c,onClick:()=>u(()=>it(p)),children:[o("strong",{children:p})," ",o("span",{children:m??s.welcome.noTier})]})},p))})]}),o("form",{onSubmit:p=>{p.preventDefault();let m=String(new FormData(p.currentTarget).get("token")).trim().replace(/^Bearer\s+/i,"");u(async()=>m)},children:[o("label",{htmlFor:a,children:n.length?s.welcome.paste:s.welcome.pasteOnly}),o("input",{id:a,name:"token",required:!0,autocomplete:"off",spellcheck:!1,"aria-describedby":`${a}-help`}),o("p",{id:`${a}-help`,className:"faint",children:s.welcome.help}),o("button",{type:"submit",className:n.length?"quiet":"",disabled:c,children:s.welcome.enter})]})]})]})}function Uo({session:e,read:r,signOut:t}){let{words:s}=r,[a,n]=I(null),[_,d]=Fo(),[g,c]=I("new"),[i,u]=I(!1),p=ce(()=>{mt().then(m=>m&&u(!0),()=>{})},[]);return Z(()=>tt(e.token,e.member.id,{stands:m=>{n(m),c(y=>y==="lost"||y==="back"?"back":"up"),d()},connected:p,down:()=>c("lost"),ended:()=>t(!0)}),[]),Z(()=>{if(g!=="back")return;let m=setTimeout(()=>c("up"),fo);return()=>clearTimeout(m)},[g]),Z(()=>{let m=()=>document.visibilityState==="visible"&&p();return document.addEventListener("visibilitychange",m),()=>document.removeEventListener("visibilitychange",m)},[]),o(S,{children:[o("a",{className:"skip",href:"#main",children:s.skip}),o("header",{className:"top",children:[o("strong",{children:e.programme.name}),o("span",{className:`line-state ${g}`,children:g==="lost"?s.bar.lost:s.bar.live}),o("nav",{children:[!a?.erasedAt&&o("span",{className:"faint",children:[s.bar.member," ",e.member.externalId]}),o(vt,{read:r}),o("button",{type:"button",className:"link",onClick:()=>t(!1),children:s.bar.signOut})]})]}),o("div",{className:"notes",children:[o("p",{role:"status",className:g==="lost"?"note warning":g==="back"?"note fading":"hidden",children:g==="lost"?s.line.lost:g==="back"?s.line.back:""}),o("div",{role:"status",className:i?"note":"hidden",children:i&&o(S,{children:[s.upgraded.text," ",o("button",{type:"button",onClick:()=>location.reload(),children:s.upgraded.reload})]})})]}),o("main",{id:"main",tabIndex:-1,children:[o("h1",{className:"hidden",children:s.title}),a?o(st,{value:{...e,reading:r,standing:a,moved:_,signOut:t,doubt:p},children:[o(No,{standing:a,read:r}),a.erasedAt?o("p",{className:"center",children:o("button",{type:"button",onClick:()=>t(!1),children:s.bar.signOut})}):o("div",{className:"parts",children:[o(ft,{}),a.status!=="CLOSED"&&o(S,{children:[o(ht,{}),o(Ut,{}),o(lt,{}),o(gt,{}),o(Ct,{}),o(pt,{}),o(ct,{})]}),o(ut,{})]})]}):o("p",{className:"faint center",children:s.loading})]})]})}function Fo(){let[e,r]=I(0),t=Ce({last:0});Z(()=>()=>clearTimeout(t.current.timer),[]);let s=ce(()=>{let a=t.current;clearTimeout(a.timer);let n=()=>{a.last=Date.now(),r(d=>d+1)},_=a.last+lo-Date.now();_>0?a.timer=setTimeout(n,_):n()},[]);return[e,s]}function No({standing:e,read:r}){let{words:t}=r,{freeze:s,status:a,erasedAt:n}=e;return a==="ACTIVE"&&!s?null:n?o("section",{className:"note warning frozen",role:"alert",children:[o("h2",{children:t.erased.heading}),o("p",{children:t.erased.text(r.day(n))})]}):o("section",{className:"note warning frozen",role:"alert",children:[o("h2",{children:a==="CLOSED"?t.frozen.closed:t.frozen.heading}),o("p",{children:[a!=="CLOSED"&&t.frozen[s?.scope??"BOTH"]," ",s?.until&&t.frozen.until(r.time(s.until))," ",t.frozen.ask]})]})}lr(o(Eo,{}),document.querySelector("#centre"));
