var v,nr,Lt,ne,xe,ke,ar,be,dr,Ge,Be,_r,Ue=Symbol.for("pv"),Le={},Me=[],Mt=/^m(i|n|o|s|text|space)$/,He=Array.isArray,ir=Me.slice,pe=Object.assign;function ge(e){e&&e.parentNode&&e.remove()}function Ae(e,r,t,s,a){var n={type:e,props:r,key:t,ref:s,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Ue,__v:a||++nr,__i:-1,__u:0};return!a&&v.vnode&&v.vnode(n),n}function O(e){return e.children}function we(e,r){this.props=e,this.context=r,this.__g=0}function ae(e,r){if(r==null)return e.__&&ae(e.__,e.__i+1);for(var t;r<e.__k.length;r++)if((t=e.__k[r])&&t.__e)return t.__e;return typeof e.type!="function"||e.props.__P?null:ae(e)}function Dt(e){var r,t=e.__v,s=t.__e,a=[],n=[],d=e.__P;d&&((r=pe({constructor:Ue},t)).__v=t.__v+1,v.vnode&&v.vnode(r),We(d,r,t,e.__n,d.namespaceURI,32&t.__u?[s]:null,a,s||ae(t),32&t.__u,n),r.__v=t.__v,r.__.__k[r.__i]=r,yr(a,r,n),t.__=t.__e=null,r.__e!=s&&mr(r))}function mr(e){if((e=e.__)&&e.__c&&!e.props.__P)return e.__e=null,e.__k.some(function(r){return r&&(e.__e=r.__e)}),mr(e)}function Qe(e){(8&e.__g||(e.__g|=8,ne.push(e),ke++))&&xe==v.debounceRendering||((xe=v.debounceRendering)||queueMicrotask)(gr)}function gr(){try{for(var e,r=1;ne.length;)ne.length>r&&ne.sort(ar),e=ne.shift(),r=ne.length,8&e.__g&&Dt(e)}finally{(ke=ne.length)&&(xe||queueMicrotask)(gr)}}function pr(e,r,t,s,a,n,d,_,g,p,i){var c,u,m,y,U,f,R=s.__k||Me,C=r.length;for(g=Pt(t,r,R,g,C),c=0;c<C;c++)(m=t.__k[c])!=null&&(u=~m.__i&&R[m.__i]||Le,m.__i=c,f=We(e,m,u,a,n,d,_,g,p,i),y=m.__e,(u.ref!=m.ref||8&u.__u)&&(u.ref&&Ke(u.ref,null,m,u),m.ref&&i.push(m.ref,m.__c||y,m)),U=U||y,4&m.__u?(g=ur(m,g,e,!u.__v),u.__e&&(u.__e=null)):typeof m.type=="function"&&f!==void 0?g=f:y&&(g=y.nextSibling),m.__u&=-21);return t.__e=U,g}function Pt(e,r,t,s,a){var n,d,_,g,p,i,c,u,m,y=t.length,U=y,f=0,R=0,C=e.__k=Array(a);for(n=0;n<a;n++)(d=r[n])!=null&&typeof d!="boolean"&&typeof d!="function"?(typeof d!="object"||d.constructor===String?d=C[n]=Ae(null,d):He(d)?d=C[n]=Ae(O,{children:d}):d.constructor===Ue&&d.__b?d=C[n]=Ae(d.type,d.props,d.key,d.ref,d.__v):C[n]=d,g=n+f,d.__=e,d.__b=e.__b+1,_=null,~(p=d.__i=xt(d,t,g,U))&&(U--,(_=t[p])&&(_.__u|=2)),_&&_.__v?(d.__u|=16,p==g-1?f--:p==g+1?f++:p!=g&&(p>g?f--:f++,R=1)):(~p||(a>y?f--:a<y&&f++),typeof d.type!="function"&&(d.__u|=4))):C[n]=null;if(R){for(i=[],c=[],n=0;n<a;n++)if((d=C[n])&&16&d.__u){for(f=0,u=i.length;f<u;)i[m=f+u>>1]<d.__i?f=m+1:u=m;i[f]=d.__i,c[n]=f+1}for(f=i.length;n--;)c[n]&&(c[n]==f?f--:C[n].__u|=4)}if(U)for(n=0;n<y;n++)!(_=t[n])||2&_.__u||(_.__e==s&&(s=ae(_)),Ve(_,_));return s}function ur(e,r,t,s){var a,n,d,_;if(typeof e.type=="function"){if(e.props.__P)return r;if(a=e.__k)for(n=0;n<a.length;n++)a[n]&&(a[n].__=e,r=ur(a[n],r,t,!1));return r}for(r&&!r.parentNode&&(r=ae(e))&&!r.parentNode&&(r=null),d=e.__e,_=r;_&&_.nodeType==8;)_=_.nextSibling;for(d!=_&&(!s&&t.moveBefore&&d.parentNode?t.moveBefore(d,r):t.insertBefore(d,r||null)),r=d;(r=r&&r.nextSibling)&&r.nodeType==8&&!r.data.startsWith("$s"););return r}function xt(e,r,t,s){var a,n=e.key,d=e.type,_=r[t],g=_&&!(2&_.__u);if(_===null&&n==null||g&&n==_.key&&d==_.type)return t;if(s>(g?1:0)){for(a=t-1;a>=0;a--)if((_=r[a])&&!(2&_.__u)&&n==_.key&&d==_.type)return a;for(a=t+1;a<r.length;a++)if((_=r[a])&&!(2&_.__u)&&n==_.key&&d==_.type)return a}return-1}function sr(e,r,t){t==null&&(t=""),r[0]=="-"?e.setProperty(r,t):e[r]=t}function Te(e,r,t,s,a){var n,d;if(r=="style")if(typeof t=="string")e.style.cssText=t;else{if(typeof s=="string"&&(e.style.cssText=s=""),s)for(r in s)t&&r in t||sr(e.style,r);if(t)for(r in t)s&&t[r]==s[r]||sr(e.style,r,t[r])}else if(r[0]=="o"&&r[1]=="n")typeof t!="function"&&(t=null),typeof s!="function"&&(s=null),(e.__e||(e.__e={}))[r]=t,t&&s||(d=Be[r]||(Be[r]=Bt(r)),(e.__a||(e.__a={}))[r]=Ge,n=r!=(r=r.replace(dr,"$1")),(r=r.slice(2))[0]<"a"&&(r=r.toLowerCase()),t?e.addEventListener(r,d,n):e.removeEventListener(r,d,n));else{if(a=="http://www.w3.org/2000/svg")r=r.replace(/xlink(H|:h)/,"h").replace(/sName$/,"s");else if(r!="width"&&r!="height"&&r!="href"&&r!="list"&&r!="form"&&r!="tabIndex"&&r!="download"&&r!="rowSpan"&&r!="colSpan"&&r!="role"&&r!="popover"&&r in e)try{return void(e[r]=t??"")}catch{}if(typeof t=="function")return;t==null||t===!1&&r[4]!="-"?e.removeAttribute(r):e.setAttribute(r,r=="popover"&&t==1?"":t)}}function Bt(e){return function(r){var t=this.__e;if(t){if(t=t[e],r[be]==null)r[be]=Ge++;else if(r[be]<this.__a[e])return;return t(v.event?v.event(r):r)}}}function We(e,r,t,s,a,n,d,_,g,p){var i,c,u,m,y,U,f,R,C,E,h,H,L,w,l,$,q,j,V=r.type;if(r.constructor!==Ue)return null;128&t.__u&&(g=32&t.__u,i=t.__c.__z)&&(r.__u|=g,c=n=[],i.nodeType==8?_=ve(i,n):n.push(i),_=n[0]||_),(i=v.__b)&&i(r);e:if(typeof V=="function"){u=d.length;try{if(R=r.props,C=(i=V.prototype)&&i.render,E=(i=V.contextType)&&s[i.__c],h=i?E?E.props.value:i.__:s,(m=t.__c)?(r.__c=m,2&m.__g&&(m.__g|=1)):(C?r.__c=m=new V(R,h):(r.__c=m=new we(R,h),m.constructor=V,m.render=Gt),E&&E.sub(m),m.state||(m.state={}),m.__n=s,m.__g|=8,m.__h=[],m.__k=[]),C&&(m.__s||(m.__s=m.state),V.getDerivedStateFromProps&&(m.__s==m.state&&(m.__s=pe({},m.__s)),pe(m.__s,V.getDerivedStateFromProps(R,m.__s)))),y=m.props,U=m.state,m.__v=r,t.__c){if(R!==y&&C&&!V.getDerivedStateFromProps&&m.componentWillReceiveProps&&m.componentWillReceiveProps(R,h),r.__v==t.__v&&!(8&m.__g)||!(4&m.__g)&&m.shouldComponentUpdate&&m.shouldComponentUpdate(R,m.__s,h)===!1){r.__v!=t.__v&&(m.props=R,m.state=m.__s,m.__g&=-9),r.__e=t.__e,r.__k=t.__k,r.__k.some(function(K){K&&(K.__=r)}),Me.push.apply(m.__h,m.__k),m.__k=[],m.__h.length&&d.push(m),_=ae(t);break e}m.componentWillUpdate&&m.componentWillUpdate(R,m.__s,h),C&&m.componentDidUpdate&&m.__h.push(function(){m.componentDidUpdate(y,U,f)})}else C&&!V.getDerivedStateFromProps&&m.componentWillMount&&m.componentWillMount(),C&&m.componentDidMount&&m.__h.push(m.componentDidMount);m.context=h,m.props=R,m.__P=e,m.__g&=-5,H=v.__r,L=C?25:0;do m.__g&=-9,H&&H(r),i=m.render(m.props,m.state=m.__s,m.context);while(8&m.__g&&++L<25);C&&(Me.push.apply(m.__h,m.__k),m.__k=[]),m.state=m.__s,m.getChildContext&&(s=pe({},s,m.getChildContext())),C&&t.__c&&m.getSnapshotBeforeUpdate&&(f=m.getSnapshotBeforeUpdate(y,U)),w=i&&i.type===O&&i.key==null?i.props.children:i,R.__P&&(i=_,a=(e=R.__P).namespaceURI,g=n=null,t.props&&t.props.__P!=e&&(t.__k.some(function(K){K&&Ve(K,K)}),t.__k=null),_=t.__k?ae(t,0):null),_=pr(e,He(w)?w:[w],r,t,s,a,n,d,_,g,p),R.__P&&(r.__e=null,_=i),r.__u&=-161,c&&c.some(ge),m.__h.length&&d.push(m),1&m.__g&&(m.__g&=-4)}catch(K){if(d.length=u,r.__v=null,g||n)if(K&&K.then){if(r.__u|=128|g,n){for(~(q=n.indexOf(_||void 0))||(q=n.length);(j=n[q-1])&&j.nodeType==8;)q--;for(;q<n.length;q++)if(j=n[q])if(n[q]=null,l){if(j==$)break}else{if(j.nodeType!=8)break;j.data.startsWith("$s")&&($=ve(l=j))}}if(!l){for(;_&&_.nodeType==8&&_.nextSibling;)_=_.nextSibling;l=_}(i=ve(l=r.__c.__z||(r.__c.__z=l)))?(r.__e=l,_=i):r.__e=_,_=_&&_.nextSibling}else n&&n.some(ge);else r.__e=t.__e;r.__k||(r.__k=t.__k||[]),K&&K.then||cr(r),v.__e(K,r,t)}}else _=r.__e=Qt(t.__e,r,t,s,a,n,d,g,p,e);return(i=v.diffed)&&i(r),_}function ve(e,r){if(e&&e.nodeType==8&&e.data.startsWith("$s"))for(var t=1;e=e.nextSibling;){if(e.nodeType==8){if(e.data.startsWith("$s"))t++;else if(e.data.startsWith("/$s")&&!--t)return e}r&&r.push(e)}}function cr(e){e&&(e.__c&&(e.__c.__g|=4),e.__k&&e.__k.some(cr))}function yr(e,r,t){for(var s=0;s<t.length;)Ke(t[s++],t[s++],t[s++]);v.__c&&v.__c(r,e),e.some(function(a){try{e=a.__h,a.__h=[],e.some(function(n){n.call(a)})}catch(n){v.__e(n,a.__v)}})}function Qt(e,r,t,s,a,n,d,_,g,p){var i,c,u,m,y,U,f,R,C=t.props||Le,E=r.props,h=r.type;if(h=="svg"?a="http://www.w3.org/2000/svg":h=="math"?a="http://www.w3.org/1998/Math/MathML":a||(a="http://www.w3.org/1999/xhtml"),n){for(i=0;i<n.length;i++)if((y=n[i])&&(h?y.localName==h:y.nodeType==3)){e=y,n[i]=null;break}}if(!e){if(R=p.ownerDocument||document,!h)return R.createTextNode(E);e=R.createElementNS(a,h,E.is?E:p),_&&(v.__m&&v.__m(r,n),_=!1),n=null}if(h){if(p=h=="template"&&e.content||e,n=h=="textarea"&&E.defaultValue!=null?null:n&&ir.call(p.childNodes),!_&&n)for(C={},i=0;i<e.attributes.length;i++)C[(y=e.attributes[i]).name]=y.value;for(i in C)y=C[i],i=="dangerouslySetInnerHTML"?u=y:i=="children"||i in E||i=="value"&&"defaultValue"in E||i=="checked"&&"defaultChecked"in E||Te(e,i,null,y,a);for(i in E)y=E[i],i=="children"?m=y:i=="dangerouslySetInnerHTML"?c=y:i=="value"?U=y:i=="checked"?f=y:_&&typeof y!="function"||C[i]===y||Te(e,i,y,C[i],a);c?(_||u&&(c.__html==u.__html||c.__html==e.innerHTML)||(e.innerHTML=c.__html),r.__k=[]):(u&&(e.textContent=""),(h=="foreignObject"||a=="http://www.w3.org/1998/Math/MathML"&&Mt.test(h))&&(a="http://www.w3.org/1999/xhtml"),pr(p,He(m)?m:[m],r,t,s,a,n,d,n?n[0]:t.__k&&ae(t,0),_,g),n&&n.some(ge)),_&&h!="textarea"||(i="value",h=="progress"&&U==null?e.removeAttribute(i):U==null||U===e[i]&&(h!="progress"||U)||Te(e,i,U,C[i],a),i="checked",f!=null&&f!=e[i]&&Te(e,i,f,C[i],a))}else C===E||_&&e.data==E||(e.data=E);return e}function Ke(e,r,t,s){try{typeof e=="function"?r?r.__x=e(r)||1:s&&(s=s.__c||s.__e)&&(r=s.__x)&&(s.__x=null,typeof r=="function"?r():e(null)):e.current=r}catch(a){v.__e(a,t)}}function Ve(e,r,t){var s,a,n,d;if(v.unmount&&v.unmount(e),!(s=e.ref)||s.current&&s.current!=e.__e||Ke(s,null,r,e),s=e.__c){if(s.componentWillUnmount)try{s.componentWillUnmount()}catch(_){v.__e(_,r)}s.__P=s.__n=null}if(s=e.__k)for(d=0;d<s.length;d++)s[d]&&Ve(s[d],r,typeof e.type!="function"||t&&!e.props.__P);!t&&(s=e.__c)&&(s=s.__z)&&(a=ve(s,n=[]))&&(s==e.__e&&n.some(ge),ge(a),ge(s)),t||ge(e.__e),e.__e=e.__c=e.__=null}function Gt(e,r,t){return this.constructor(e,t)}function fr(e,r){var t,s,a,n;v.__&&v.__(e,r),r.nodeType==9&&(r=r.documentElement),s=(t=e&&32&e.__u)?null:r.__k,r.__k=Ae(O,{children:[e]}),a=[],n=[],We(r,r.__k,s||Le,Le,r.namespaceURI,s?null:r.firstChild?ir.call(r.childNodes):null,a,s?s.__e:r.firstChild,t,n),yr(a,r.__k,n),r.__k.props.children=null}function lr(e){function r(t){var s,a;return this.getChildContext||(s=new Set,(a={})[r.__c]=this,this.getChildContext=function(){return a},this.shouldComponentUpdate=function(n){this.props.value!=n.value&&s.forEach(function(d){d.__g|=4,Qe(d)})},this.sub=function(n){s.add(n);var d=n.componentWillUnmount;n.componentWillUnmount=function(){s.delete(n),d&&d.call(n)}}),t.children}return r.__c="__cC"+_r++,r.__=e,r.Provider=(r.Consumer=function(t,s){return t.children(s)}).contextType=r,r}v={__e:function(e,r,t,s){for(var a,n,d;r=r.__;)if((a=r.__c)&&!(1&a.__g)){a.__g|=4;try{if((d=(n=a.constructor)&&n.getDerivedStateFromError)&&a.setState(n.getDerivedStateFromError(e)),a.componentDidCatch&&(a.componentDidCatch(e,s||{}),d=1),d&&8&a.__g)return void(a.__g|=2)}catch(_){e=_}}throw ke=0,e}},nr=0,Lt=function(e){return e!=null&&e.constructor===Ue},we.prototype.setState=function(e,r){var t=this.__s;t&&t!=this.state||(t=this.__s=pe({},this.state)),typeof e=="function"&&(e=e(pe({},t),this.props)),e&&(pe(t,e),this.__v&&(r&&this.__k.push(r),Qe(this)))},we.prototype.forceUpdate=function(e){this.__v&&(this.__g|=4,e&&this.__h.push(e),Qe(this))},we.prototype.render=O,ne=[],ke=0,ar=function(e,r){return e.__v.__b-r.__v.__b},be=Symbol(),dr=/(PointerCapture)$|Capture$/i,Ge=0,Be={},_r=0;var ue,M,Ye,Cr,ze=Object.is,Ne=0,Ir=[],$e=[],x=v,Er=x.__b,Rr=x.__r,Ur=x.diffed,Fr=x.__c,Nr=x.unmount,hr=x.__;function he(e,r){x.__h&&x.__h(M,e,Ne||r),Ne=0;var t=M.__H||(M.__H={__:[],__h:[]});return e>=t.__.length&&t.__.push({}),t.__[e]}function I(e){return Ne=1,Ht(Ar,e)}function Ht(e,r,t){var s=he(ue++,2);if(s.t=e,!s.__c&&(s.__=[t?t(r):Ar(void 0,r),function(n){var d=(s.__N||s.__)[0],_=s.t(d,n);ze(d,_)||(s.__N=[_,s.__[1]],s.__c.setState({}))}],s.__c=M,!M.__f)){M.__f=!0;var a=M.shouldComponentUpdate;M.shouldComponentUpdate=function(n,d,_){var g=this.__H;if(!g)return!0;var p=!1,i=this.props!=n;if(g.__.some(function(u){u.__N&&(p=!0,ze(u.__[0],u.__N[0])||(i=!0))}),a){var c=a.call(this,n,d,_);return p?c||i:c}return!p||i}}return s.__}function Z(e,r){var t=he(ue++,3);!x.__s&&br(t.__H,r)&&(t.__P=!0,t.__=e,t.u=r,M.__H.__h.push(t))}function Ce(e){return Ne=5,De(function(){return{current:e}},[])}function De(e,r){var t=he(ue++,7);return br(t.__H,r)&&(t.__=e(),t.__H=r),t.__}function ce(e,r){return Ne=8,De(function(){return e},r)}function Tr(e){var r=M.context[e.__c],t=he(ue++,9);return t.c=e,r?(t.__==null&&(t.__=!0,r.sub(M)),r.props.value):e.__}function de(){var e=he(ue++,11);if(!e.__){for(var r=M.__v;!r.__m&&r.__;)r=r.__;var t=r.__m||(r.__m=[0,0]);e.__="P"+t[0]+"-"+t[1]++}return e.__}function Wt(){var e;do{for(;e=$e.shift();)try{Fe(e)}catch(t){x.__e(t,{__:(e=e.__P)&&e.__v})}for(;e=Ir.shift();){var r=e.__H;if(e.__P&&r)try{r.__h.some(Fe),r.__h.some(qe),r.__h=[]}catch(t){r.__h=[],x.__e(t,e.__v)}}}while($e.length)}x.__b=function(e){M=null,Er&&Er(e)},x.__=function(e,r){e&&r.__k&&r.__k.__m&&(e.__m=r.__k.__m),hr&&hr(e,r)},x.__r=function(e){Rr&&Rr(e),ue=0;var r=(M=e.__c).__H;r&&(Ye==M?M.__h=[]:(r.__h.some(Fe),r.__h.some(qe),ue=0),r.__h=[],r.__.some(function(t){t.__N&&(t.__=t.__N),t.u=t.__N=void 0})),Ye=M},x.diffed=function(e){Ur&&Ur(e);var r=e.__c;r&&r.__H&&(r.__H.__h.length&&Or(Ir.push(r)),r.__H.__.some(function(t){t.u&&(t.__H=t.u)})),Ye=M=null},x.__c=function(e,r){r.some(function(t){try{t.__h.some(Fe),t.__h=t.__h.filter(function(s){return!s.__||qe(s)})}catch(s){t.__h=[function(){throw s}]}}),Fr&&Fr(e,r)},x.unmount=function(e){Nr&&Nr(e);var r,t,s=e.__c;s&&s.__H&&(s.__H.__.some(function(a){try{if(a.__P&&a.__c){if(t===void 0){for(t=e.__;t&&(!t.__c||!t.__c.__P);)t=t.__;t=t&&t.__c}a.__P=t,Or($e.push(a))}else Fe(a)}catch(n){r=n}}),s.__H=void 0,r&&x.__e(r,s.__v))};var Sr=typeof requestAnimationFrame=="function";function Kt(e){var r,t=function(){clearTimeout(s),Sr&&cancelAnimationFrame(r),setTimeout(e)},s=setTimeout(t,35);Sr&&(r=requestAnimationFrame(t))}function Or(e){e!=1&&Cr==x.requestAnimationFrame||((Cr=x.requestAnimationFrame)||Kt)(Wt)}function Fe(e){var r=M,t=e.__c;typeof t=="function"&&(e.__c=void 0,t()),M=r}function qe(e){var r=M;e.__c=e.__(),M=r}function br(e,r){return!e||e.length!=r.length||r.some(function(t,s){return!ze(t,e[s])})}function Ar(e,r){return typeof r=="function"?r(e):r}var T=class extends String{__apiType;value;__meta__;constructor(r,t){super(r),this.value=r,this.__meta__=t}toString(){return this.value}},To=new T(`
    fragment Written on Transaction {
  id
  entries {
    unit
    amount
    held
  }
}
    `,{fragmentName:"Written"}),bo=new T(`
    fragment Refused on UserError {
  __typename
  code
  message
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
    `,{fragmentName:"Refused"}),Ao=new T(`
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
  message
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
}`,{fragmentName:"CheckoutRefused"}),wo=new T(`
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
  message
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
}`,{fragmentName:"LotteryRefused"}),vo=new T(`
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
  message
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
}`,{fragmentName:"QuestRefused"}),ko=new T(`
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
  message
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
}`,{fragmentName:"RewardRefused"}),Lo=new T(`
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
  message
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
}`,{fragmentName:"SignInRefused"}),Mo=new T(`
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
    `,{fragmentName:"Criterion"}),Do=new T(`
    fragment Standing on Member {
  id
  status
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
}`,{fragmentName:"Standing"}),wr=new T(`
    query WhyNot($member: MemberByInput!, $channel: String!, $key: String!, $locale: Locale!) {
  whyNot(
    member: $member
    channel: $channel
    idempotencyKey: $key
    locale: $locale
  ) {
    text
  }
}
    `),vr=new T(`
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
    `),kr=new T(`
    query Quote($input: QuoteCheckoutInput!, $purchase: PreviewPurchaseInput!) {
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
  message
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
}`),Lr=new T(`
    mutation HoldCheckout($input: HoldCheckoutInput!) {
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
  message
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
}`),Mr=new T(`
    mutation ReleaseCheckout($input: ReleaseCheckoutInput!) {
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
  message
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
}`),je=new T(`
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
    `),Dr=new T(`
    query Why($transaction: ID!, $locale: Locale!) {
  node(id: $transaction) {
    ... on Transaction {
      explanation(locale: $locale) {
        text
      }
    }
  }
}
    `),Pr=new T(`
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
    `),xr=new T(`
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
    `),Br=new T(`
    mutation DrawLottery($input: DrawLotteryInput!) {
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
  message
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
}`),Qr=new T(`
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
    `),Gr=new T(`
    mutation ClaimQuest($input: ClaimQuestInput!) {
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
  message
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
}`),Hr=new T(`
    query Rewards($member: MemberByInput!) {
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
  message
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
}`),Wr=new T(`
    mutation RedeemReward($input: RedeemRewardInput!) {
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
  message
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
}`),Kr=new T(`
    query Session {
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
    tiers {
      id
      code
      name
    }
  }
}
    `),Vr=new T(`
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
    `),Yr=new T(`
    mutation RecordSignIn($input: RecordSignInInput!) {
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
  message
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
}`),zr=new T(`
    mutation MakeUpSignIn($input: MakeUpSignInInput!) {
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
  message
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
}`),$r=new T(`
    subscription Follow($member: MemberByInput!) {
  memberProgress(by: $member) {
    ...Standing
  }
}
    fragment Standing on Member {
  id
  status
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
}`),qr=new T(`
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
    `);function Y(e){return e===null?"null":Array.isArray(e)?"array":typeof e}function _e(e){return Y(e)==="object"}function Vt(e){return Array.isArray(e)&&e.length>0&&e.every(r=>"message"in r)}function Je(e,r){return e.length<124?e:r}var jr="graphql-transport-ws";var J=(e=>(e[e.InternalServerError=4500]="InternalServerError",e[e.InternalClientError=4005]="InternalClientError",e[e.BadRequest=4400]="BadRequest",e[e.BadResponse=4004]="BadResponse",e[e.Unauthorized=4401]="Unauthorized",e[e.Forbidden=4403]="Forbidden",e[e.SubprotocolNotAcceptable=4406]="SubprotocolNotAcceptable",e[e.ConnectionInitialisationTimeout=4408]="ConnectionInitialisationTimeout",e[e.ConnectionAcknowledgementTimeout=4504]="ConnectionAcknowledgementTimeout",e[e.SubscriberAlreadyExists=4409]="SubscriberAlreadyExists",e[e.TooManyInitialisationRequests=4429]="TooManyInitialisationRequests",e))(J||{}),X=(e=>(e.ConnectionInit="connection_init",e.ConnectionAck="connection_ack",e.Ping="ping",e.Pong="pong",e.Subscribe="subscribe",e.Next="next",e.Error="error",e.Complete="complete",e))(X||{});function Jr(e){if(!_e(e))throw new Error(`Message is expected to be an object, but got ${Y(e)}`);if(!e.type)throw new Error("Message is missing the 'type' property");if(typeof e.type!="string")throw new Error(`Message is expects the 'type' property to be a string, but got ${Y(e.type)}`);switch(e.type){case"connection_init":case"connection_ack":case"ping":case"pong":{if(e.payload!=null&&!_e(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an object or nullish or missing, but got "${e.payload}"`);break}case"subscribe":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${Y(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);if(!_e(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${Y(e.payload)}`);if(typeof e.payload.query!="string")throw new Error(`"${e.type}" message payload expects the 'query' property to be a string, but got ${Y(e.payload.query)}`);if(e.payload.variables!=null&&!_e(e.payload.variables))throw new Error(`"${e.type}" message payload expects the 'variables' property to be a an object or nullish or missing, but got ${Y(e.payload.variables)}`);if(e.payload.operationName!=null&&Y(e.payload.operationName)!=="string")throw new Error(`"${e.type}" message payload expects the 'operationName' property to be a string or nullish or missing, but got ${Y(e.payload.operationName)}`);if(e.payload.extensions!=null&&!_e(e.payload.extensions))throw new Error(`"${e.type}" message payload expects the 'extensions' property to be a an object or nullish or missing, but got ${Y(e.payload.extensions)}`);break}case"next":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${Y(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);if(!_e(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an object, but got ${Y(e.payload)}`);break}case"error":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${Y(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);if(!Vt(e.payload))throw new Error(`"${e.type}" message expects the 'payload' property to be an array of GraphQL errors, but got ${JSON.stringify(e.payload)}`);break}case"complete":{if(typeof e.id!="string")throw new Error(`"${e.type}" message expects the 'id' property to be a string, but got ${Y(e.id)}`);if(!e.id)throw new Error(`"${e.type}" message requires a non-empty 'id' property`);break}default:throw new Error(`Invalid message 'type' property "${e.type}"`)}return e}function Xr(e,r){return Jr(typeof e=="string"?JSON.parse(e,r):e)}function Ee(e,r){return Jr(e),JSON.stringify(e,r)}function Ze(e){let{url:r,connectionParams:t,lazy:s=!0,onNonLazyError:a=console.error,lazyCloseTimeout:n=0,keepAlive:d=0,disablePong:_,connectionAckWaitTimeout:g=0,retryAttempts:p=5,retryWait:i=async function(k){let F=Math.pow(2,k);await new Promise(A=>setTimeout(A,F*1e3+Math.floor(Math.random()*2700+300)))},shouldRetry:c=Xe,on:u,webSocketImpl:m,generateID:y=function(){return"xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g,k=>{let F=Math.random()*16|0;return(k=="x"?F:F&3|8).toString(16)})},jsonMessageReplacer:U,jsonMessageReviver:f}=e,R;if(m){if(!zt(m))throw new Error("Invalid WebSocket implementation provided");R=m}else typeof WebSocket<"u"?R=WebSocket:typeof global<"u"?R=global.WebSocket||global.MozWebSocket:typeof window<"u"&&(R=window.WebSocket||window.MozWebSocket);if(!R)throw new Error("WebSocket implementation missing; on Node you can `import WebSocket from 'ws';` and pass `webSocketImpl: WebSocket` to `createClient`");let C=R,E=(()=>{let N=(()=>{let F={};return{on(A,D){return F[A]=D,()=>{delete F[A]}},emit(A){"id"in A&&F[A.id]?.(A)}}})(),k={connecting:u?.connecting?[u.connecting]:[],opened:u?.opened?[u.opened]:[],connected:u?.connected?[u.connected]:[],ping:u?.ping?[u.ping]:[],pong:u?.pong?[u.pong]:[],message:u?.message?[N.emit,u.message]:[N.emit],closed:u?.closed?[u.closed]:[],error:u?.error?[u.error]:[]};return{onMessage:N.on,on(F,A){let D=k[F];return D.push(A),()=>{let P=D.indexOf(A);P>-1&&D.splice(P,1)}},emit(F,...A){for(let D of[...k[F]])D(...A)}}})();function h(N){let k=[E.on("error",F=>{k.forEach(A=>A()),N(F)}),E.on("closed",F=>{k.forEach(A=>A()),N(F)})];return()=>k.forEach(F=>F())}let H,L=0,w,l=!1,$=0,q=!1;async function j(){clearTimeout(w);let[N,k]=await(H??(H=new Promise((D,P)=>(async()=>{if(l){if(await i($),!L)return H=void 0,P({code:1e3,reason:"All Subscriptions Gone"});$++}E.emit("connecting",l);let S=new C(typeof r=="function"?await r():r,jr),te,fe;function Ie(){isFinite(d)&&d>0&&(clearTimeout(fe),fe=setTimeout(()=>{S.readyState===C.OPEN&&(S.send(Ee({type:X.Ping})),E.emit("ping",!1,void 0))},d))}h(W=>{H=void 0,clearTimeout(te),clearTimeout(fe),P(W),W instanceof Se&&(S.close(4499,"Terminated"),S.onerror=null,S.onclose=null)}),S.onerror=W=>E.emit("error",W),S.onclose=W=>E.emit("closed",W),S.onopen=async()=>{try{E.emit("opened",S);let W=typeof t=="function"?await t():t;if(S.readyState!==C.OPEN)return;S.send(Ee(W?{type:X.ConnectionInit,payload:W}:{type:X.ConnectionInit},U)),isFinite(g)&&g>0&&(te=setTimeout(()=>{S.close(J.ConnectionAcknowledgementTimeout,"Connection acknowledgement timeout")},g)),Ie()}catch(W){E.emit("error",W),S.close(J.InternalClientError,Je(W instanceof Error?W.message:String(W),"Internal client error"))}};let le=!1;S.onmessage=({data:W})=>{try{let Q=Xr(W,f);if(E.emit("message",Q),Q.type==="ping"||Q.type==="pong"){E.emit(Q.type,!0,Q.payload),Q.type==="pong"?Ie():_||(S.send(Ee(Q.payload?{type:X.Pong,payload:Q.payload}:{type:X.Pong},U)),E.emit("pong",!1,Q.payload));return}if(le)return;if(Q.type!==X.ConnectionAck)throw new Error(`First message cannot be of type ${Q.type}`);clearTimeout(te),le=!0,E.emit("connected",S,Q.payload,l),l=!1,$=0;let or=new Promise((ho,kt)=>h(kt));or.catch(()=>{}),D([S,or])}catch(Q){S.onmessage=null,E.emit("error",Q),S.close(J.BadResponse,Je(Q instanceof Error?Q.message:String(Q),"Bad response"))}}})())));N.readyState===C.CLOSING&&await k;let F=()=>{},A=new Promise(D=>F=D);return[N,F,new Promise((D,P)=>{let S=h(P);N.readyState!==C.OPEN&&k.catch(P),A.then(()=>{if(S(),!L){let te=()=>N.close(1e3,"Normal Closure");isFinite(n)&&n>0?(clearTimeout(w),w=setTimeout(()=>{!L&&N.readyState===C.OPEN&&te()},n)):te()}D()})})]}function V(N){if(Xe(N)&&(Yt(N.code)||[J.InternalServerError,J.InternalClientError,J.BadRequest,J.BadResponse,J.Unauthorized,J.SubprotocolNotAcceptable,J.SubscriberAlreadyExists,J.TooManyInitialisationRequests].includes(N.code)))throw N;if(q)return!1;if(Xe(N)&&N.code===1e3)return L>0;if(!p||$>=p||!c(N))throw N;return l=!0}s||(async()=>{for(L++;;)try{let[,,N]=await j();await N}catch(N){try{if(!V(N))return}catch(k){return a?.(k)}}})();function K(N,k){let F=y(N),A=!1,D=!1,P=()=>{L--,A=!0};return(async()=>{for(L++;;)try{let[S,te,fe]=await j();if(A)return fe.catch(()=>{}),te();let Ie=E.onMessage(F,le=>{switch(le.type){case X.Next:{k.next(le.payload);return}case X.Error:{D=!0,A=!0,k.error(le.payload),P();return}case X.Complete:{A=!0,P();return}}});S.send(Ee({id:F,type:X.Subscribe,payload:N},U)),P=()=>{!A&&S.readyState===C.OPEN&&S.send(Ee({id:F,type:X.Complete},U)),L--,A=!0,te()},await fe.finally(Ie);return}catch(S){if(!V(S))return}})().then(()=>{D||k.complete()}).catch(S=>{k.error(S)}),()=>{A||P()}}return{on:E.on,subscribe:K,iterate(N){let k=[],F={done:!1,error:null,resolve:()=>{}},A=K(N,{next(P){k.push(P),F.resolve()},error(P){F.done=!0,F.error=P,F.resolve()},complete(){F.done=!0,F.resolve()}}),D=(async function*(){for(;;){for(k.length||await new Promise(S=>F.resolve=S);k.length;)yield k.shift();if(F.error)throw F.error;if(F.done)return}})();return D.throw=async P=>(F.done||(F.done=!0,F.error=P,F.resolve()),{done:!0,value:void 0}),D.return=async()=>(A(),{done:!0,value:void 0}),D},async dispose(){if(q=!0,H){let[N]=await H;N.close(1e3,"Normal Closure")}},terminate(){H&&E.emit("closed",new Se)}}}var Se=class extends Error{name="TerminatedCloseEvent";message="4499: Terminated";code=4499;reason="Terminated";wasClean=!1};function Xe(e){return _e(e)&&"code"in e&&"reason"in e}function Yt(e){return[1e3,1001,1006,1005,1012,1013,1014].includes(e)?!1:e>=1e3&&e<=1999}function zt(e){return typeof e=="function"&&"constructor"in e&&"CLOSED"in e&&"CLOSING"in e&&"CONNECTING"in e&&"OPEN"in e}var rt=new URL("graphql",document.baseURI).href,oe=class extends Error{},ie=class extends Error{},Re=class extends Error{constructor(t,s){super(s);this.code=t}code},$t=new Set(["OVERLOADED","SHUTTING_DOWN","DEADLINE_EXCEEDED","KEYS_UNREACHABLE","DATABASE_UNREACHABLE","TIMEOUT","RATE_LIMITED"]),qt=15;async function se(e,r,t){let s;try{s=await(await fetch(rt,{method:"POST",headers:{"Content-Type":"application/json",Accept:"application/graphql-response+json, application/json;q=0.9",Authorization:`Bearer ${e}`},body:JSON.stringify({query:r.toString(),variables:t}),signal:AbortSignal.timeout(qt*1e3)})).json()}catch(n){throw new oe(String(n))}let[a]=s.errors??[];if(a){let n=a.extensions?.code??"";throw n==="UNAUTHENTICATED"?new ie(a.message):$t.has(n)?new oe(a.message):new Re(n,a.message)}return s.data}var jt=4e3,Zr=[250,500,1e3,2e3,4e3],et=1e4,Jt=4403;function tt(e,r,t){let s=!1,a,n,d=()=>{},_=Ze({url:rt.replace(/^http/,"ws"),connectionParams:{authorization:`Bearer ${e}`},lazy:!1,retryAttempts:1/0,shouldRetry:()=>!0,retryWait:c=>new Promise(u=>setTimeout(u,Zr[Math.min(c,Zr.length-1)])),onNonLazyError:()=>{},keepAlive:et,on:{connected:()=>t.connected(),closed:c=>{clearTimeout(a),!s&&(c.code===Jt?(i(),t.ended()):t.down())},ping:c=>{c||(a=setTimeout(()=>_.terminate(),et))},pong:c=>c&&clearTimeout(a)}}),g=()=>{d=_.subscribe({query:$r.toString(),variables:{member:{id:r}}},{next:({data:c})=>c?.memberProgress&&t.stands(c.memberProgress),error:p,complete:p})},p=()=>{s||(t.down(),n=setTimeout(g,jt))};g();let i=()=>{s=!0,clearTimeout(n),d(),_.dispose()};return i}var Xt=Symbol.for("pv"),Zt=0;function o(e,r,t,s,a,n){r||(r={});var d,_,g=r;if("ref"in g&&typeof e!="function")for(_ in g={},r)_=="ref"?d=r[_]:g[_]=r[_];var p={type:e,props:g,key:t,ref:d,__k:null,__:null,__b:0,__e:null,__c:null,constructor:Xt,__v:--Zt,__i:-1,__u:0};return(a||n)&&(p.__source=a,p.__self=n),v.vnode&&v.vnode(p),p}var ot=lr(null),st=ot.Provider;function b(){let e=Tr(ot);if(!e)throw new Error("a part of the centre is outside of it");return e}var eo=e=>e==="GRAPHQL_VALIDATION_FAILED"||e.endsWith("_NOT_OFFERED");function G(e,r){let{token:t,moved:s,signOut:a,doubt:n}=b(),[d,_]=I({state:"loading"}),[g,p]=I(0),i=JSON.stringify(r);return Z(()=>{if(r===null)return;let c=!1;return se(t,e,r).then(u=>c||_({state:"there",data:u}),u=>{c||(u instanceof ie?a(!0):u instanceof Re&&eo(u.code)?(u.code==="GRAPHQL_VALIDATION_FAILED"&&n(),_({state:"none"})):_(m=>m.state==="there"?m:{state:"failed"}))}),()=>{c=!0}},[t,e,i,s,g]),{...d,again:ce(()=>p(c=>c+1),[])}}var er=()=>[...crypto.getRandomValues(new Uint8Array(16))].map(e=>e.toString(16).padStart(2,"0")).join(""),Oe=e=>({onClick:r=>{r.detail>1||e()},onKeyDown:r=>r.repeat&&r.preventDefault()});function ee(e,r){let{token:t,member:s,reading:a,signOut:n}=b(),[d,_]=I(!1),[g,p]=I(null),i=Ce(null),c=async(m,y)=>{let U=a.refused(m);if(U||a.locale==="EN")return U??a.words.other(m.message);try{let{whyNot:f}=await se(t,wr,{member:{id:s.id},channel:r,key:y,locale:a.locale});return f?.text.join("")??a.words.other(m.message)}catch{return a.words.other(m.message)}};return{run:async m=>{let y=JSON.stringify(m);i.current?.request!==y&&(i.current={request:y,key:`centre:${er()}`});let{key:U}=i.current;_(!0),p(null);try{let{done:f}=await se(t,e,{input:{...m,idempotencyKey:U}});if(i.current=null,!f)return null;let[R]=f.errors;if(R)return p({refused:!0,text:await c(R,U)}),null;let C=(f.transaction?.entries??[]).filter(({amount:E})=>E!==0);return p({refused:!1,text:a.words.done(a.list(C.map(({amount:E,unit:h})=>a.change(E,h))))}),f}catch(f){if(f instanceof ie)n(!0);else if(f instanceof oe)p({refused:!0,text:a.words.unsent});else if(f instanceof Re)p({refused:!0,text:a.words.other(f.message)});else throw f;return null}finally{_(!1)}},busy:d,said:g,clear:()=>p(null)}}function rr(e){let{standing:r,reading:t}=b();if(r.status==="CLOSED")return t.words.frozen.insteadClosed;let{freeze:s}=r;return(s?s.scope==="BOTH"||s.scope===e:r.status==="FROZEN")?t.words.frozen.instead:null}var tr=e=>e?.focus();function re(e){let{act:r,scope:t,onPress:s,label:a,quiet:n,focused:d,children:_}=e,g=rr(t??"EARNING");return t&&g?o("p",{className:"stopped",children:g}):o("div",{className:"act",children:[o("button",{type:"button",className:n?"quiet":"","aria-label":a,"aria-busy":r.busy,ref:d?tr:void 0,...Oe(()=>r.busy||s()),children:_}),o(me,{said:r.said})]})}function me({said:e}){return o("div",{className:"said",children:[o("p",{role:"alert",className:"refused",children:e?.refused?e.text:""}),o("p",{role:"status",className:"done",children:e&&!e.refused?e.text:""})]})}function B(e){let r=de();return o("section",{className:`part ${e.name}`,"aria-labelledby":r,children:[o("header",{children:[o("h2",{id:r,children:e.title}),e.aside]}),e.children]})}function z({name:e,title:r,asked:t}){let{words:s}=b().reading;return t.state!=="failed"?null:o(B,{name:e,title:r,children:o("p",{children:[s.failed," ",o("button",{type:"button",className:"quiet",onClick:t.again,children:s.again})]})})}function ye({ratio:e,label:r,text:t}){return o("progress",{max:1,value:Math.min(Math.max(e,0),1),"aria-label":r,"aria-valuetext":t})}var nt=e=>document.querySelector(`meta[name="laurel-${e}"]`)?.content,at=nt("samples")==="yes",dt=new URL("demo/samples",document.baseURI).href,_t=async()=>(await fetch(dt)).json();async function it(e){let t=await fetch(dt,{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify({externalId:e})});if(!t.ok)throw new Error(await t.text());return(await t.json()).token}var ro=nt("build");async function mt(){let e=await fetch(document.baseURI,{method:"HEAD",cache:"no-store"}),r=e.headers.get("Laurel-Build");return e.ok&&r!==null&&r!==ro}function gt(){let{reading:e}=b(),{words:r}=e,t=G(vr,{});if(t.state!=="there")return o(z,{name:"badges",title:r.badges.heading,asked:t});let s=t.data.viewer?.member?.badges??[];return s.length===0?null:o(B,{name:"badges",title:r.badges.heading,children:o("ul",{className:"medals",children:s.map(a=>{let{progress:n}=a,d=a.counts.includes("spend")?e.money:e.number,_=a.levels.find(({level:p})=>p===n?.level),g=_?e.list(_.pack.map(({amount:p,unit:i})=>e.amount(p,i))):"";return o("li",{className:a.level>0?"had":"",children:[o("svg",{viewBox:"0 0 48 48","aria-hidden":"true",children:[o("circle",{cx:"24",cy:"20",r:"14"}),o("path",{d:"M16 31 12 46l12-6 12 6-4-15"}),a.level>0&&o("path",{className:"tick",d:"m17 20 5 5 9-10"})]}),o("div",{children:[o("strong",{children:a.title}),a.levels.length>1&&a.level>0&&o("p",{className:"faint",children:r.badges.level(a.level,a.levels.length)}),a.unlockedAt&&o("p",{className:"faint",children:r.badges.has(e.day(a.unlockedAt))}),n&&o(O,{children:[o(ye,{ratio:Number(n.ratio),label:a.title,text:r.tier.of(d(n.current),d(n.required))}),o("p",{className:"faint",children:[r.tier.of(d(n.current),d(n.required)),g&&` \xB7 ${r.badges.brings(g)}`]})]})]})]},a.name)})})})}var to=300;function oo(e){let[r,t]=I(e);return Z(()=>{let s=setTimeout(()=>t(e),to);return()=>clearTimeout(s)},[e]),r}function pt(){let{reading:e,member:r,programme:t}=b(),{words:s}=e,a=de(),[n,d]=I(100 .toFixed(e.digits)),_=oo(n.trim()),g=/^\d{1,9}(\.\d+)?$/.test(_)&&Number(_)>0,p={id:r.id},i={amount:_,currency:t.currency},c=G(kr,g?{input:{member:p,basket:i},purchase:{member:p,amount:i,lines:[{sku:"basket",amount:_}]}}:null),[u,m]=I(0),y=De(()=>`basket-${er().slice(0,8)}`,[_,u]),U=ee(Lr,"checkout"),f=ee(Mr,"checkout");if(c.state!=="there")return o(z,{name:"checkout",title:s.checkout.heading,asked:c});let R=c.data.quoteCheckout,[C]=R?.errors??[];if(!R||C?.code==="CHECKOUT_NOT_OFFERED")return null;let E=(c.data.viewer?.member?.holds.nodes??[]).filter(({channel:w})=>w==="checkout"),h=(c.data.previewPurchase?.awards??[]).filter(({given:w})=>w>0),H=w=>w.code==="INSUFFICIENT_POINTS"?s.checkout.nothing:e.refused(w)??s.other(w.message),L=R.points&&R.amount?{points:R.points,amount:R.amount.amount}:null;return o(B,{name:"checkout",title:s.checkout.heading,children:[o("p",{children:[o("label",{htmlFor:a,children:s.checkout.basket})," ",o("span",{className:"entry",children:[o("input",{id:a,inputMode:"decimal",autocomplete:"off",value:n,"aria-invalid":!g,"aria-describedby":`${a}-said`,onInput:w=>d(w.currentTarget.value)})," ",t.currency]})]}),o("p",{id:`${a}-said`,role:"alert",className:"refused",children:g?C?H(C):"":e.refused({code:"INVALID_AMOUNT"})}),g&&!C&&o(O,{children:[o("dl",{className:"sums","aria-live":"polite",children:[o("div",{children:[o("dt",{children:s.checkout.uses}),o("dd",{children:e.number(L?.points??0)})]}),o("div",{children:[o("dt",{children:s.checkout.pays}),o("dd",{children:e.money(L?.amount??0)})]}),o("div",{className:"total",children:[o("dt",{children:s.checkout.rest}),o("dd",{children:e.money(Number(_)-Number(L?.amount??0))})]}),h.length>0&&o("div",{children:[o("dt",{children:s.checkout.earns}),o("dd",{children:e.list(h.map(({given:w,unit:l})=>e.change(w,l)))})]})]}),o("p",{className:"faint",children:L?s.checkout.limits[R.limitedBy??""]:s.checkout.nothing}),L&&o(re,{act:U,scope:"SPENDING",onPress:async()=>await U.run({member:p,basket:i,reference:y,points:L.points})&&m(u+1),children:s.checkout.hold(e.amount(L.points,"points"))})]}),E.length>0&&o(O,{children:[o("h3",{children:s.checkout.held}),o("ul",{className:"rows",children:E.map(w=>o("li",{className:"line",children:[o("span",{children:[o("strong",{children:e.amount(w.amount,"points")})," ",o("span",{className:"faint",children:s.checkout.until(e.time(w.expiresAt))})]}),o("button",{type:"button",className:"quiet","aria-label":`${s.checkout.release}: ${e.amount(w.amount,"points")}`,"aria-busy":f.busy,...Oe(()=>f.busy||f.run({hold:w.id})),children:s.checkout.release})]},w.id))}),o("p",{className:"faint",children:s.checkout.why})]}),o(me,{said:f.said})]})}function so(e,r){let t=new Set(e.nodes.map(({id:a})=>a)),s=r?.nodes.filter(({id:a})=>!t.has(a))??[];return!r||s.length===0||s.length===r.nodes.length?e:{nodes:[...e.nodes,...s],pageInfo:r.pageInfo}}function ut(){let{reading:e,token:r}=b(),{words:t}=e,s=G(je,{after:null}),a=s.state==="there"?s.data.viewer?.member?.transactions:void 0,n=Ce(null),[d,_]=I("ready");if(a&&a!==n.current?.newest&&(n.current={newest:a,all:so(a,n.current?.all??null)}),!n.current)return o(z,{name:"history",title:t.history.heading,asked:s});let{all:g}=n.current,p=async()=>{_("busy");try{let c=(await se(r,je,{after:g.pageInfo.endCursor??null})).viewer?.member?.transactions,u=n.current;c&&(n.current={...u,all:{nodes:[...u.all.nodes,...c.nodes],pageInfo:c.pageInfo}}),_("ready")}catch{_("failed")}};return o(B,{name:"history",title:t.history.heading,children:[g.nodes.length===0&&o("p",{className:"faint",children:t.history.empty}),o("ol",{className:"rows",children:g.nodes.map(i=>o(ao,{transaction:i},i.id))}),o("p",{role:"alert",className:"refused",children:d==="failed"&&t.failed}),g.pageInfo.hasNextPage&&o("button",{type:"button",className:"quiet","aria-busy":d==="busy",onClick:()=>d==="busy"||p(),children:t.history.more})]})}function no({entries:e}){let r=new Map;for(let t of e){let s=r.get(t.unit);r.set(t.unit,{...t,amount:t.amount+(s?.amount??0),held:t.held+(s?.held??0)})}return[...r.values()].filter(({amount:t,held:s})=>t!==0||s!==0)}function ao({transaction:e}){let{reading:r,token:t}=b(),{words:s}=r,a=de(),[n,d]=I(null),[_,g]=I(!1),p=async()=>{if(g(!_),!(_||n))try{let{node:m}=await se(t,Dr,{transaction:e.id,locale:r.locale});d(m&&"explanation"in m&&m.explanation?.text||[])}catch{d([s.failed])}},i=s.history.kinds[e.kind]??s.history.channels[e.channel]??e.channel,c=s.history.channels[e.channel]??e.channel,u=no(e);return o("li",{children:[o("div",{className:"line",children:[o("span",{children:[o("strong",{children:i}),i!==c&&o("span",{className:"faint",children:[" ",c]}),e.reference&&o("span",{className:"faint",children:[" ",e.reference]}),e.reason&&o("span",{className:"faint",children:[" ",e.reason]}),e.reversedBy.length>0&&o("span",{className:"tag",children:s.history.reversed}),o("br",{}),o("time",{className:"faint",dateTime:e.effectiveAt,children:r.time(e.effectiveAt)})]}),o("span",{className:"amounts",children:[u.length===0&&o("span",{className:"faint",children:s.history.nothing}),u.map(({unit:m,amount:y,held:U,balanceAfter:f})=>o("span",{children:[o("span",{className:y>0?"gain":y<0?"loss":"",children:y!==0?r.change(y,m):U>0?s.history.setAside(r.amount(U,m)):s.history.givenBack(r.amount(-U,m))})," ",y!==0&&f!=null&&o("span",{className:"faint",children:s.history.balance(r.number(f))})]},m)),o("button",{type:"button",className:"link","aria-expanded":_,"aria-controls":a,onClick:p,children:[_?s.history.close:s.history.why,o("span",{className:"hidden",children:[" ",i,", ",r.time(e.effectiveAt)]})]})]})]}),o("div",{id:a,hidden:!_,className:"why","aria-live":"polite",children:n?n.map((m,y)=>o("p",{children:m},y)):o("p",{className:"faint",children:s.loading})})]})}function ct(){let{words:e}=b().reading,r=G(Pr,{});return r.state!=="there"?o(z,{name:"lottery",title:e.lottery.heading,asked:r}):o(O,{children:(r.data.lotteryPools??[]).map(t=>o(_o,{pool:t},t.id))})}function _o({pool:e}){let{reading:r,member:t}=b(),{words:s}=r,a=G(xr,{pool:e.id}),n=ee(Br,"lottery"),[d,_]=I(null),g=a.state==="there"?a.data.viewer?.member?.lottery:null,p=async()=>{_(null);let i=await n.run({member:{id:t.id},pool:e.id,count:1,points:e.price});_(i?.draws[0]??null)};return o(B,{name:"lottery",title:e.name,aside:g?.drawsLeft!=null&&o("span",{className:"faint",children:s.lottery.drawsLeft(g.drawsLeft)}),children:[o(re,{act:n,scope:"SPENDING",onPress:p,children:s.lottery.draw(r.amount(e.price,"points"))}),o("p",{className:"drawn",role:"status",children:d&&o(O,{children:[o("strong",{children:s.lottery.won(d.name)})," ",o("span",{className:"faint",children:s.lottery.because[d.because]})]})}),g?.nextPityIn!=null&&o("p",{className:"faint",children:s.lottery.pity(g.nextPityIn)}),o("table",{className:"odds",children:[o("caption",{children:s.lottery.odds}),o("thead",{children:o("tr",{children:[o("th",{scope:"col",children:s.lottery.prize}),o("th",{scope:"col",children:s.lottery.exact}),o("th",{scope:"col",children:s.lottery.chance})]})}),o("tbody",{children:e.prizes.map(i=>o("tr",{children:[o("th",{scope:"row",children:[i.name," ",i.stockLeft!=null&&o("span",{className:"faint",children:s.lottery.left(i.stockLeft)})]}),o("td",{children:[r.number(i.odds.numerator),"/",r.number(i.odds.denominator)]}),o("td",{children:r.percent(i.odds.numerator/i.odds.denominator)})]},i.id))})]}),g&&g.draws.nodes.length>0&&o(O,{children:[o("h3",{children:s.lottery.mine}),o("ul",{className:"rows",children:g.draws.nodes.map(i=>o("li",{className:"line",children:[o("span",{children:i.name}),o("span",{className:"faint",children:r.time(i.drawnAt)})]},i.id))})]}),o("details",{children:[o("summary",{children:[s.lottery.committed," ",o("code",{children:[e.current.commitment.slice(0,12),"\u2026"]})]}),o("p",{children:o("code",{children:e.current.commitment})}),o("p",{className:"faint",children:s.lottery.reveals(r.time(e.current.revealsAt))})]})]})}var yt=5;function ft(){let{standing:e,programme:r,reading:t}=b(),{words:s}=t,a=r.units.find(({spendable:g})=>g)?.name??"points",n=e.balances.find(g=>g.unit===a),d=e.balances.filter(g=>g.unit!==a);if(!n)return null;let _=[[n.pending,s.points.pending],[n.held,s.points.held],[n.debt,s.points.debt]];return o(B,{name:"points",title:t.unit(a),children:[o("p",{className:"balance",children:[o("output",{className:"figure",children:t.number(n.available)})," ",r.pointValue&&o("span",{className:"faint",children:s.points.worth(t.money(n.available*Number(r.pointValue)))})]}),o("ul",{className:"chips",children:[_.filter(([g])=>g>0).map(([g,p])=>o("li",{children:[o("strong",{children:t.number(g)})," ",p]},p)),d.map(g=>o("li",{children:[o("strong",{children:t.number(g.available)})," ",t.unit(g.unit)]},g.unit))]}),o(io,{unit:a})]})}function io({unit:e}){let{reading:r}=b(),{words:t}=r,s=G(qr,{unit:e});if(s.state!=="there"||!s.data.viewer?.member)return null;let{nodes:a,pageInfo:n}=s.data.viewer.member.lots,d=new Map;for(let c of a)c.expiresAt&&d.set(r.dayOf(c.expiresAt),(d.get(r.dayOf(c.expiresAt))??0)+c.available);let _=[...d].filter(([,c])=>c>0),[g,p]=[_.slice(0,yt),_.slice(yt)],i=p.reduce((c,[,u])=>c+u,0);return o(O,{children:[o("h3",{children:t.points.expiry}),g.length===0?o("p",{className:"faint",children:t.points.never}):o("table",{className:"expiry",children:[o("thead",{className:"hidden",children:o("tr",{children:[o("th",{scope:"col",children:t.points.expires}),o("th",{scope:"col",children:t.points.amount})]})}),o("tbody",{children:[g.map(([c,u])=>o("tr",{children:[o("td",{children:r.day(c)}),o("td",{children:r.number(u)})]},c)),i>0&&o("tr",{children:[o("td",{children:t.points.rest}),o("td",{children:[n.hasNextPage?"> ":"",r.number(i)]})]})]})]})]})}function lt(){let{words:e}=b().reading,r=G(Qr,{});if(r.state!=="there")return o(z,{name:"quests",title:e.quests.heading,asked:r});let t=(r.data.viewer?.member?.quests??[]).filter(({status:s})=>s!=="OVER");return t.length===0?null:o(B,{name:"quests",title:e.quests.heading,children:o("ul",{className:"rows",children:t.map(s=>o(mo,{quest:s},s.name))})})}function mo({quest:e}){let{reading:r,member:t}=b(),{words:s}=r,a=ee(Gr,"quest"),{current:n,required:d,ratio:_}=e.progress,g=s.tier.of(r.number(n),r.number(d)),p=e.status==="DONE"&&e.resetsAt?s.quests.again(r.day(e.resetsAt)):e.closesAt?s.quests.until(r.day(e.closesAt)):"";return o("li",{className:`quest-${e.status.toLowerCase()}`,children:[o("div",{className:"line",children:[o("span",{children:[o("strong",{children:e.title})," ",o("span",{className:"faint",children:s.quests.periods[e.period]??e.period})]}),o("span",{className:"gain",children:r.change(e.points,"points")})]}),o(ye,{ratio:Number(_),label:e.title,text:g}),o("div",{className:"line faint",children:[o("span",{children:g}),o("span",{children:[s.quests[e.status],p].filter(Boolean).join(" \xB7 ")})]}),e.status==="READY"&&o(re,{act:a,scope:"EARNING",label:`${s.quests.claim}: ${e.title}`,onPress:()=>a.run({member:{id:t.id},quest:e.name}),children:s.quests.claim})]})}function Ct(){let{reading:e,member:r}=b(),{words:t}=e,s=G(Hr,{member:{id:r.id}});if(s.state!=="there")return o(z,{name:"rewards",title:t.rewards.heading,asked:s});let a=s.data.rewards??[],n=s.data.viewer?.member?.rewardOrders.nodes??[];return a.length+n.length===0?null:o(B,{name:"rewards",title:t.rewards.heading,children:[o("ul",{className:"cards",children:a.map(d=>o(go,{reward:d},d.id))}),n.length>0&&o(O,{children:[o("h3",{children:t.rewards.mine}),o("ul",{className:"rows",children:n.map(d=>o("li",{className:"line",children:[o("span",{children:[o("strong",{children:d.name})," ",d.quantity>1&&`\xD7 ${d.quantity}`," ",o("span",{className:"faint",children:e.day(d.requestedAt)}),d.codes.map(_=>o("code",{children:[t.rewards.code," ",_]},_))]}),o("span",{className:"faint",children:t.rewards.status[d.status]})]},d.id))})]})]})}function go({reward:e}){let{reading:r,member:t}=b(),{words:s}=r,a=ee(Wr,"rewards"),[n,d]=I("new"),_=rr("SPENDING"),g=r.amount(e.price,"points"),p=[e.stockLeft!=null&&e.stockLeft>0&&s.rewards.stock(e.stockLeft),e.limitLeft!=null&&e.limitLeft>0&&s.rewards.limit(e.limitLeft)].filter(Boolean),i=e.refusal&&!_?r.refused(e.refusal)??e.refusal.message:null,c=async()=>{d("answered"),await a.run({member:{id:t.id},reward:e.id,quantity:1,points:e.price})};return o("li",{className:e.refusal?"out":"",children:[o("span",{className:"faint",children:s.rewards.kinds[e.kind]}),o("strong",{children:e.name}),o("span",{className:"price",children:[g," ",e.listPrice!==e.price&&o("span",{className:"faint",children:s.rewards.instead(r.number(e.listPrice))})]}),p.length>0&&o("span",{className:"faint",children:p.join(" \xB7 ")}),i?o(O,{children:[o("p",{className:"stopped",children:i}),o(me,{said:a.said})]}):n==="asked"&&!_?o("div",{className:"act",role:"group","aria-label":s.rewards.confirm(e.name,g),children:[o("button",{type:"button",ref:tr,...Oe(c),children:s.rewards.yes(g)}),o("button",{type:"button",className:"quiet",onClick:()=>d("answered"),children:s.rewards.no})]}):o(re,{act:a,scope:"SPENDING",label:`${s.rewards.redeem}: ${e.name}`,focused:n==="answered",onPress:()=>d("asked"),children:s.rewards.redeem})]})}function Ut(){let{reading:e,member:r}=b(),{words:t}=e,[s,a]=I(null),n=G(Vr,{month:s}),d=ee(Yr,"sign_in");if(n.state!=="there")return o(z,{name:"sign-in",title:t.signIn.heading,asked:n});let _=n.data.viewer?.member?.signIn;if(!_)return null;let g=e.dayOf(new Date(Date.parse(_.resetsAt)-1).toISOString()),p=_.ahead[0],i=p&&e.list(p.brings.map(({amount:c,unit:u})=>e.amount(c,u)));return o(B,{name:"sign-in",title:t.signIn.heading,aside:_.streak>0&&o("span",{className:"faint",children:t.signIn.streak(_.streak)}),children:[o(co,{month:s??g,today:g,signIn:_,onTurn:a}),_.doneToday?o("p",{className:"well",children:[t.signIn.done," ",i&&t.signIn.tomorrow(i)]}):i&&o("p",{children:t.signIn.brings(i)}),_.doneToday?o(me,{said:Ft(d.said,!0)}):o(re,{act:d,scope:"EARNING",onPress:()=>d.run({member:{id:r.id}}),children:t.signIn.act}),o(uo,{signIn:_}),o(po,{signIn:_})]})}var Ft=(e,r)=>r&&e?.refused?null:e;function po({signIn:e}){let{reading:r}=b();return e.ahead.length===0?null:o(O,{children:[o("h3",{children:r.words.signIn.ahead}),o("ol",{className:"ahead",children:e.ahead.map(({day:t,brings:s})=>o("li",{children:[o("span",{className:"faint",children:r.weekday(t)}),s.map(({unit:a,amount:n})=>o("strong",{title:r.unit(a),children:["+",r.number(n)]},a))]},t))})]})}function uo({signIn:e}){let{reading:r,member:t}=b(),{words:s}=r,a=ee(zr,"sign_in"),[n,d]=I(),_=e.missed.at(-1),g=Ft(a.said,n!==_);return e.makeUpCost===null||e.makeUpCost===void 0?null:!_||e.makeUpsLeft===0?o(me,{said:g}):o(O,{children:[o(re,{act:{...a,said:g},scope:"SPENDING",quiet:!0,onPress:()=>{d(_),a.run({member:{id:t.id},day:_})},children:s.signIn.makeUp(r.day(_),r.amount(e.makeUpCost,"points"))}),o("p",{className:"faint",children:s.signIn.left(e.makeUpsLeft)})]})}var Et=(e,r)=>{let t=new Date(`${e.slice(0,7)}-01T12:00:00Z`);return t.setUTCMonth(t.getUTCMonth()+r),t.toISOString().slice(0,10)};function Rt(e){let r=new Date(`${e.slice(0,7)}-01T12:00:00Z`),t=Array.from({length:(r.getUTCDay()+6)%7},()=>null);for(let s=new Date(r);s.getUTCMonth()===r.getUTCMonth();s.setUTCDate(s.getUTCDate()+1))t.push(s.toISOString().slice(0,10));for(;t.length%7;)t.push(null);return Array.from({length:t.length/7},(s,a)=>t.slice(a*7,a*7+7))}function co({month:e,today:r,signIn:t,onTurn:s}){let{reading:a}=b(),{words:n}=a,d=new Map(t.calendar.map(i=>[i.day,i])),_=new Set(t.missed),g=e.slice(0,7)===r.slice(0,7),p=Et(e,1);return o(O,{children:[o("div",{className:"turning",children:[o("button",{type:"button",className:"quiet","aria-label":n.signIn.former,onClick:()=>s(Et(e,-1)),children:"\u2039"}),o("span",{"aria-live":"polite",children:a.month(e.slice(0,7)+"-01")}),o("button",{type:"button",className:"quiet","aria-label":n.signIn.later,disabled:g,onClick:()=>s(p.slice(0,7)===r.slice(0,7)?null:p),children:"\u203A"})]}),o("table",{className:"month",children:[o("caption",{className:"hidden",children:n.signIn.heading}),o("thead",{children:o("tr",{children:Rt("2024-01-01")[0].map(i=>o("th",{scope:"col",children:a.weekday(i)},i))})}),o("tbody",{children:Rt(e).map((i,c)=>o("tr",{children:i.map((u,m)=>{if(!u)return o("td",{},m);let y=d.get(u),U=y?y.isMadeUp?"madeUp":"signed":_.has(u)?"missed":null;return o("td",{className:U??"","aria-current":u===r?"date":void 0,children:[o("span",{children:Number(u.slice(8))}),U&&o("span",{className:"hidden",children:[", ",n.signIn[U]]})]},m)})},c))})]})]})}function ht(){let{standing:e,programme:r,reading:t}=b(),{words:s}=t,{tier:a,progress:n,keeping:d}=e;if(!a)return null;let _=n?.nextTier,g=r.tiers.findIndex(({code:p})=>p===a.code);return o(B,{name:"tier",title:s.tier.heading,children:[o("p",{className:"balance",children:[o("span",{className:"figure",children:a.name})," ",o("span",{className:"faint",children:s.tier.since(t.day(e.tierSince))})]}),o("ol",{className:"ladder","aria-label":s.tier.ladder,children:r.tiers.map(({code:p,name:i},c)=>o("li",{className:c<=g?"reached":"","aria-current":p===a.code?"step":void 0,children:i},p))}),_&&n?o(O,{children:[o("h3",{children:s.tier.next(_.name)}),o(ye,{ratio:n.ratio,label:s.tier.next(_.name),text:t.percent(n.ratio)}),n.criteria.length>1&&o("p",{className:"faint",children:n.mode==="ANY"?s.tier.any:s.tier.all}),o(Nt,{criteria:n.criteria}),n.brings.length>0&&o("p",{className:"brings",children:[o("span",{className:"faint",children:[s.tier.brings(_.name),":"]})," ",t.list(n.brings.map(({name:p})=>p))]})]}):o("p",{className:"top-reached",children:s.tier.top}),d&&o(O,{children:[o("h3",{children:s.tier.keeping}),o("p",{children:d.state==="LOCKED"?s.tier.LOCKED(t.day(d.lockedUntil)):s.tier[d.state](t.day(d.state==="GRACE"?d.lostAt:d.judgedAt),d.projectedTier.name)}),d.state!=="SAFE"&&o(Nt,{criteria:d.criteria})]})]})}function Nt({criteria:e}){let{reading:r}=b(),{words:t}=r;return o("ul",{className:"criteria",children:e.map(s=>{let a=s.fact==="spend"?r.money:r.number,n=t.facts[s.fact]??s.description,{window:d,current:_,required:g,remaining:p,ratio:i}=s,c=d?.months?t.tier.months(d.months):d?.days?t.tier.days(d.days):"",u=t.tier.of(a(_),a(g));return o("li",{children:[o("div",{className:"line",children:[o("span",{children:[n," ",o("span",{className:"faint",children:c})]}),o("span",{children:[u," \xB7 ",o("strong",{children:i>=1?t.tier.met:t.tier.left(a(p))})]})]}),o(ye,{ratio:i,label:n,text:u})]},s.fact+c)})})}var St={title:"Member centre",skip:"Skip to the content",language:{name:"English",other:"\u4E2D\u6587",switchTo:"\u7528\u4E2D\u6587\u9605\u8BFB"},welcome:{heading:"Your membership",lead:"Points, tiers and rewards, live from the graph.",choose:"Be one of the sample members",enter:"Sign in",noTier:"no tier yet",paste:"Or paste a member\u2019s token",pasteOnly:"Paste a member\u2019s token",help:"It stays in this tab and is gone when the tab is closed.",notMember:"This token isn\u2019t a member\u2019s. The member centre is for members only.",noSamples:"The sample members can\u2019t be had at the moment. Try again.",ended:"You were signed out, as the sign-in has ended. Please sign in again.",unreachable:"The server can\u2019t be reached. Try again in a moment."},bar:{member:"Member",signOut:"Sign out",live:"Live",lost:"Connection lost"},line:{lost:"The connection is lost. What you see is how it was; it is tried again by itself.",back:"The connection is back, and everything is up to date."},upgraded:{text:"There is a new version of this page.",reload:"Reload"},frozen:{heading:"Your membership is frozen",closed:"Your membership has ended",EARNING:"You can\u2019t earn at the moment. What you have can be spent.",SPENDING:"You can\u2019t spend at the moment. What you do still earns.",BOTH:"You can neither earn nor spend at the moment. What you have stays yours.",until:e=>`It ends by itself on ${e}.`,ask:"Please contact us if you don\u2019t know why.",instead:"Not possible while your membership is frozen",insteadClosed:"Not possible, as your membership has ended"},loading:"One moment \u2026",failed:"This part can\u2019t be shown at the moment.",again:"Try again",unsent:"Nobody answered, and it is not known whether it was done. Press again: it is never done twice.",units:{points:"Points",growth:"Growth"},amount:(e,r)=>`${e} ${r==="points"&&/^[+-]?1$/.test(e)?"point":r}`,done:e=>e?`Done: ${e}`:"Done",points:{worth:e=>`worth ${e}`,pending:"on their way",held:"set aside",debt:"owed",expiry:"When they expire",never:"Nothing you have expires.",rest:"later",expires:"Expires",amount:"Points"},tier:{heading:"Your tier",since:e=>`since ${e}`,next:e=>`On the way to ${e}`,top:"You are at the top.",all:"all of these are needed",any:"one of these is enough",left:e=>`${e} to go`,met:"reached",of:(e,r)=>`${e} of ${r}`,brings:e=>`${e} also brings`,ladder:"All tiers",keeping:"Keeping it",SAFE:e=>`Yours is safe: it is looked at next on ${e}.`,AT_RISK:(e,r)=>`Not kept yet: on ${e} you would move to ${r}.`,GRACE:(e,r)=>`In days of grace: on ${e} you move to ${r}, unless enough is reached before.`,LOCKED:e=>`Yours whatever happens until ${e}.`,months:e=>e===1?"in a month":`in ${e} months`,days:e=>e===1?"in a day":`in ${e} days`},facts:{points_earned:"Points earned",growth_earned:"Growth earned",spend:"Spent",orders:"Orders",sign_ins:"Days signed in",referrals:"Friends brought",reviews:"Reviews"},signIn:{heading:"Sign-in",streak:e=>e===1?"1 day in a row":`${e} days in a row`,act:"Sign in for today",brings:e=>`Today brings ${e}`,tomorrow:e=>`Come back tomorrow for ${e}`,done:"You have signed in today.",former:"Month before",later:"Month after",signed:"signed in",madeUp:"made up",missed:"missed",makeUp:(e,r)=>`Make up ${e} for ${r}`,left:e=>e===1?"One day more this month":`${e} days more this month`,ahead:"The days ahead"},quests:{heading:"Quests",AHEAD:"Begins later",OPEN:"",READY:"Ready to claim",DONE:"Done",OTHER_TIER:"For other tiers",OVER:"Over",periods:{once:"once",daily:"every day",weekly:"every week",monthly:"every month"},claim:"Claim",again:e=>`again from ${e}`,until:e=>`until ${e}`},badges:{heading:"Badges",has:e=>`Yours since ${e}`,level:(e,r)=>`Level ${e} of ${r}`,brings:e=>`brings ${e}`},rewards:{heading:"Rewards",redeem:"Redeem",confirm:(e,r)=>`Redeem ${e} for ${r}?`,yes:e=>`Yes, for ${e}`,no:"Not now",instead:e=>`instead of ${e}`,stock:e=>e===1?"the last one":`${e} left`,limit:e=>e===1?"one more for you":`${e} more for you`,mine:"What you have redeemed",code:"Code",kinds:{GOODS:"Goods",VOUCHER:"Voucher",SERVICE:"Service"},status:{REQUESTED:"being prepared",FULFILLED:"on its way",DELIVERED:"received",CANCELLED:"cancelled"}},checkout:{heading:"Pay with points",basket:"Your basket comes to",pays:"Points pay",rest:"You pay",uses:"Points used",earns:"This order earns",hold:e=>`Set ${e} aside`,nothing:"No points can be used for this basket.",limits:{RATIO:"That is the largest part of a basket that points may pay for.",AMOUNT:"That is the most that points may pay for in one basket.",POINTS:"That is all that your points pay for.",BASKET:"That is all of it."},held:"Set aside",until:e=>`until ${e}`,release:"Give back",why:"The shop takes them when the order is paid; otherwise they come back by themselves."},lottery:{heading:"Lottery",draw:e=>`Draw for ${e}`,odds:"The odds, as they are used",prize:"Prize",chance:"Chance",exact:"Of the numbers",left:e=>`${e} left`,drawsLeft:e=>e===1?"One draw left":`${e} draws left`,pity:e=>e===1?"The next draw brings a prize.":`One of the next ${e} draws brings a prize.`,won:e=>`You drew: ${e}`,because:{ROLL:"",SOLD_OUT:"in place of a prize that is out of stock",PITY:"as promised after bad luck"},mine:"Your last draws",committed:"The draws of this period are settled by a seed whose fingerprint is",reveals:e=>`The seed is shown on ${e}, and everybody can check then.`},history:{heading:"History",empty:"Nothing has happened yet.",more:"Show more",why:"Why?",close:"Close",balance:e=>`then ${e}`,setAside:e=>`${e} set aside`,givenBack:e=>`${e} no longer set aside`,reversed:"taken back, at least in part",nothing:"nothing was given or taken",channels:{purchase:"Purchase",sign_in:"Sign-in",quest:"Quest",badge:"Badge",rewards:"Reward",checkout:"Checkout",lottery:"Lottery",referral:"Friends",review:"Review",membership:"Membership",ledger:"Account",tiers:"Tier",redemption:"Spent",benefit:"Benefit",coupon:"Coupon",gift:"Gift",donation:"Donation",birthday:"Birthday",welcome:"Welcome",operator:"By our staff"},kinds:{refund:"Refund",expire:"Expired",adjust:"Adjusted by our staff",reverse:"Reversed",redeem:"Redeemed",hold:"Set aside",release:"Given back",capture:"Spent",cancel:"Cancelled",draw:"Draw",make_up:"Day made up",freeze:"Frozen",unfreeze:"No longer frozen",enrol:"Joined"}},refused:{INSUFFICIENT_POINTS:e=>`That takes ${e.number(e.needed)}, and you have ${e.number(e.available)}.`,MEMBER_FROZEN:()=>"Your membership is frozen for this.",MEMBER_NOT_ACTIVE:()=>"Your membership doesn\u2019t allow this at present.",ALREADY_SIGNED_IN:e=>`You have signed in today. The next day begins on ${e.time(e.resetsAt)}.`,MAKE_UPS_USED_UP:e=>`No more days can be made up before ${e.day(e.resetsAt)}.`,REWARD_LIMIT_REACHED:e=>e.resetsAt?`You have had as many as there may be. More from ${e.day(e.resetsAt)}.`:"You have had as many as there may be.",REWARD_SOLD_OUT:()=>"Sold out.",REWARD_NOT_YET_OPEN:e=>`From ${e.time(e.opensAt)}.`,REWARD_CLOSED:()=>"It is over.",REWARD_OF_OTHER_TIER:e=>`For ${e.tiers}.`,REWARD_PRICE_CHANGED:e=>`It costs ${e.number(e.price)} by now. Please look again.`,LOTTERY_LIMIT_REACHED:e=>e.resetsAt?`No more draws until ${e.time(e.resetsAt)}.`:"You have no draws left.",LOTTERY_NOT_YET_OPEN:e=>`From ${e.time(e.opensAt)}.`,LOTTERY_CLOSED:()=>"It is over.",LOTTERY_OF_OTHER_TIER:e=>`For ${e.tiers}.`,LOTTERY_PRICE_CHANGED:e=>`A draw costs ${e.number(e.price)} by now. Please look again.`,QUEST_ALREADY_DONE:()=>"You have been given this already.",QUEST_NOT_REACHED:e=>`Not yet: ${e.number(e.current)} of ${e.number(e.required)}.`,CHECKOUT_PRICE_CHANGED:e=>`It takes ${e.number(e.price)} points by now. Please look again.`,EXCEEDS_CHECKOUT:e=>`No more than ${e.amountMax} of this basket can be paid with points.`,INVALID_AMOUNT:()=>"This isn\u2019t an amount."},other:e=>`It was refused: ${e}`};var Ot={title:"\u4F1A\u5458\u4E2D\u5FC3",skip:"\u8DF3\u5230\u6B63\u6587",language:{name:"\u4E2D\u6587",other:"English",switchTo:"Read in English"},welcome:{heading:"\u60A8\u7684\u4F1A\u5458",lead:"\u79EF\u5206\u3001\u7B49\u7EA7\u4E0E\u793C\u54C1\uFF0C\u5B9E\u65F6\u53D6\u81EA\u6570\u636E\u56FE\u3002",choose:"\u4EE5\u793A\u4F8B\u4F1A\u5458\u767B\u5F55",enter:"\u767B\u5F55",noTier:"\u6682\u65E0\u7B49\u7EA7",paste:"\u6216\u7C98\u8D34\u4F1A\u5458\u4EE4\u724C",pasteOnly:"\u7C98\u8D34\u4F1A\u5458\u4EE4\u724C",help:"\u4EE4\u724C\u53EA\u4FDD\u5B58\u5728\u672C\u6807\u7B7E\u9875\uFF0C\u5173\u95ED\u5373\u6D88\u5931\u3002",notMember:"\u8FD9\u4E0D\u662F\u4F1A\u5458\u7684\u4EE4\u724C\u3002\u4F1A\u5458\u4E2D\u5FC3\u53EA\u4F9B\u4F1A\u5458\u4F7F\u7528\u3002",noSamples:"\u6682\u65F6\u65E0\u6CD5\u53D6\u5F97\u793A\u4F8B\u4F1A\u5458\uFF0C\u8BF7\u91CD\u8BD5\u3002",ended:"\u767B\u5F55\u5DF2\u5230\u671F\uFF0C\u8BF7\u91CD\u65B0\u767B\u5F55\u3002",unreachable:"\u65E0\u6CD5\u8FDE\u63A5\u670D\u52A1\u5668\uFF0C\u8BF7\u7A0D\u540E\u91CD\u8BD5\u3002"},bar:{member:"\u4F1A\u5458",signOut:"\u9000\u51FA",live:"\u5B9E\u65F6",lost:"\u8FDE\u63A5\u4E2D\u65AD"},line:{lost:"\u8FDE\u63A5\u5DF2\u4E2D\u65AD\u3002\u60A8\u770B\u5230\u7684\u662F\u4E2D\u65AD\u524D\u7684\u5185\u5BB9\uFF0C\u6B63\u5728\u81EA\u52A8\u91CD\u8FDE\u3002",back:"\u8FDE\u63A5\u5DF2\u6062\u590D\uFF0C\u5185\u5BB9\u5DF2\u662F\u6700\u65B0\u3002"},upgraded:{text:"\u672C\u9875\u9762\u6709\u65B0\u7248\u672C\u3002",reload:"\u91CD\u65B0\u8F7D\u5165"},frozen:{heading:"\u60A8\u7684\u4F1A\u5458\u5DF2\u88AB\u51BB\u7ED3",closed:"\u60A8\u7684\u4F1A\u5458\u8D44\u683C\u5DF2\u7EC8\u6B62",EARNING:"\u76EE\u524D\u4E0D\u80FD\u83B7\u5F97\u79EF\u5206\uFF0C\u5DF2\u6709\u79EF\u5206\u4ECD\u53EF\u4F7F\u7528\u3002",SPENDING:"\u76EE\u524D\u4E0D\u80FD\u4F7F\u7528\u79EF\u5206\uFF0C\u4ECD\u53EF\u7EE7\u7EED\u83B7\u5F97\u3002",BOTH:"\u76EE\u524D\u4E0D\u80FD\u83B7\u5F97\u4E5F\u4E0D\u80FD\u4F7F\u7528\u79EF\u5206\uFF0C\u5DF2\u6709\u79EF\u5206\u4ECD\u5F52\u60A8\u6240\u6709\u3002",until:e=>`${e}\u81EA\u52A8\u89E3\u9664\u3002`,ask:"\u5982\u4E0D\u6E05\u695A\u539F\u56E0\uFF0C\u8BF7\u8054\u7CFB\u6211\u4EEC\u3002",instead:"\u4F1A\u5458\u51BB\u7ED3\u671F\u95F4\u4E0D\u53EF\u64CD\u4F5C",insteadClosed:"\u4F1A\u5458\u8D44\u683C\u5DF2\u7EC8\u6B62\uFF0C\u4E0D\u53EF\u64CD\u4F5C"},loading:"\u8BF7\u7A0D\u5019\u2026\u2026",failed:"\u6B64\u90E8\u5206\u6682\u65F6\u65E0\u6CD5\u663E\u793A\u3002",again:"\u91CD\u8BD5",unsent:"\u6CA1\u6709\u6536\u5230\u7B54\u590D\uFF0C\u5C1A\u4E0D\u77E5\u662F\u5426\u5B8C\u6210\u3002\u8BF7\u518D\u6309\u4E00\u6B21\uFF1A\u7EDD\u4E0D\u4F1A\u91CD\u590D\u6267\u884C\u3002",units:{points:"\u79EF\u5206",growth:"\u6210\u957F\u503C"},amount:(e,r)=>`${e} ${r}`,done:e=>e?`\u5DF2\u5B8C\u6210\uFF1A${e}`:"\u5DF2\u5B8C\u6210",points:{worth:e=>`\u4EF7\u503C ${e}`,pending:"\u5F85\u5230\u8D26",held:"\u5DF2\u9884\u7559",debt:"\u6B20\u6B3E",expiry:"\u5230\u671F\u65F6\u95F4",never:"\u60A8\u7684\u79EF\u5206\u4E0D\u4F1A\u8FC7\u671F\u3002",rest:"\u66F4\u665A",expires:"\u5230\u671F\u65E5",amount:"\u79EF\u5206"},tier:{heading:"\u60A8\u7684\u7B49\u7EA7",since:e=>`\u81EA${e}\u8D77`,next:e=>`\u8DDD\u79BB ${e}`,top:"\u60A8\u5DF2\u662F\u6700\u9AD8\u7B49\u7EA7\u3002",all:"\u987B\u5168\u90E8\u8FBE\u5230",any:"\u8FBE\u5230\u5176\u4E00\u5373\u53EF",left:e=>`\u8FD8\u5DEE ${e}`,met:"\u5DF2\u8FBE\u5230",of:(e,r)=>`${e} / ${r}`,brings:e=>`${e} \u8FD8\u5C06\u5E26\u6765`,ladder:"\u5168\u90E8\u7B49\u7EA7",keeping:"\u4FDD\u7EA7",SAFE:e=>`\u7B49\u7EA7\u7A33\u56FA\uFF0C${e}\u518D\u6B21\u8BC4\u5B9A\u3002`,AT_RISK:(e,r)=>`\u5C1A\u672A\u4FDD\u4F4F\uFF1A${e}\u5C06\u53D8\u4E3A ${r}\u3002`,GRACE:(e,r)=>`\u5BBD\u9650\u671F\u5185\uFF1A\u82E5\u672A\u8FBE\u6807\uFF0C${e}\u53D8\u4E3A ${r}\u3002`,LOCKED:e=>`${e}\u4E4B\u524D\u4FDD\u6301\u4E0D\u53D8\u3002`,months:e=>`${e} \u4E2A\u6708\u5185`,days:e=>`${e} \u5929\u5185`},facts:{points_earned:"\u83B7\u5F97\u79EF\u5206",growth_earned:"\u83B7\u5F97\u6210\u957F\u503C",spend:"\u6D88\u8D39\u91D1\u989D",orders:"\u8BA2\u5355",sign_ins:"\u7B7E\u5230\u5929\u6570",referrals:"\u9080\u8BF7\u597D\u53CB",reviews:"\u8BC4\u4EF7"},signIn:{heading:"\u7B7E\u5230",streak:e=>`\u5DF2\u8FDE\u7EED\u7B7E\u5230 ${e} \u5929`,act:"\u4ECA\u65E5\u7B7E\u5230",brings:e=>`\u4ECA\u65E5\u53EF\u5F97 ${e}`,tomorrow:e=>`\u660E\u5929\u518D\u6765\u53EF\u5F97 ${e}`,done:"\u4ECA\u65E5\u5DF2\u7B7E\u5230\u3002",former:"\u4E0A\u4E2A\u6708",later:"\u4E0B\u4E2A\u6708",signed:"\u5DF2\u7B7E\u5230",madeUp:"\u5DF2\u8865\u7B7E",missed:"\u6F0F\u7B7E",makeUp:(e,r)=>`\u7528 ${r} \u8865\u7B7E ${e}`,left:e=>`\u672C\u6708\u8FD8\u53EF\u8865\u7B7E ${e} \u6B21`,ahead:"\u63A5\u4E0B\u6765\u51E0\u5929"},quests:{heading:"\u4EFB\u52A1",AHEAD:"\u5C1A\u672A\u5F00\u59CB",OPEN:"",READY:"\u53EF\u9886\u53D6",DONE:"\u5DF2\u5B8C\u6210",OTHER_TIER:"\u4EC5\u9650\u5176\u4ED6\u7B49\u7EA7",OVER:"\u5DF2\u7ED3\u675F",periods:{once:"\u4E00\u6B21",daily:"\u6BCF\u5929",weekly:"\u6BCF\u5468",monthly:"\u6BCF\u6708"},claim:"\u9886\u53D6",again:e=>`${e}\u8D77\u53EF\u518D\u6B21\u5B8C\u6210`,until:e=>`\u622A\u81F3${e}`},badges:{heading:"\u5FBD\u7AE0",has:e=>`${e}\u83B7\u5F97`,level:(e,r)=>`\u7B2C ${e} \u7EA7\uFF0C\u5171 ${r} \u7EA7`,brings:e=>`\u53EF\u5F97 ${e}`},rewards:{heading:"\u793C\u54C1\u5151\u6362",redeem:"\u5151\u6362",confirm:(e,r)=>`\u7528 ${r} \u5151\u6362 ${e}\uFF1F`,yes:e=>`\u786E\u8BA4\uFF0C\u4F7F\u7528 ${e}`,no:"\u6682\u4E0D",instead:e=>`\u539F\u4EF7 ${e}`,stock:e=>`\u5269\u4F59 ${e} \u4EF6`,limit:e=>`\u60A8\u8FD8\u53EF\u5151\u6362 ${e} \u4EF6`,mine:"\u60A8\u7684\u5151\u6362",code:"\u5238\u7801",kinds:{GOODS:"\u5B9E\u7269",VOUCHER:"\u5238",SERVICE:"\u670D\u52A1"},status:{REQUESTED:"\u51C6\u5907\u4E2D",FULFILLED:"\u5DF2\u53D1\u51FA",DELIVERED:"\u5DF2\u6536\u5230",CANCELLED:"\u5DF2\u53D6\u6D88"}},checkout:{heading:"\u79EF\u5206\u62B5\u6263",basket:"\u8D2D\u7269\u91D1\u989D",pays:"\u79EF\u5206\u62B5\u6263",rest:"\u5B9E\u4ED8",uses:"\u4F7F\u7528\u79EF\u5206",earns:"\u672C\u5355\u53EF\u5F97",hold:e=>`\u9884\u7559 ${e}`,nothing:"\u6B64\u5355\u4E0D\u80FD\u4F7F\u7528\u79EF\u5206\u3002",limits:{RATIO:"\u5DF2\u8FBE\u6BCF\u5355\u53EF\u62B5\u6263\u7684\u6700\u9AD8\u6BD4\u4F8B\u3002",AMOUNT:"\u5DF2\u8FBE\u6BCF\u5355\u53EF\u62B5\u6263\u7684\u6700\u9AD8\u91D1\u989D\u3002",POINTS:"\u60A8\u7684\u79EF\u5206\u6700\u591A\u53EF\u62B5\u6263\u8FD9\u4E9B\u3002",BASKET:"\u5DF2\u5168\u989D\u62B5\u6263\u3002"},held:"\u5DF2\u9884\u7559",until:e=>`\u81F3 ${e}`,release:"\u9000\u56DE",why:"\u4ED8\u6B3E\u540E\u7531\u5546\u5BB6\u6263\u9664\uFF0C\u5426\u5219\u81EA\u52A8\u9000\u56DE\u3002"},lottery:{heading:"\u62BD\u5956",draw:e=>`\u7528 ${e} \u62BD\u4E00\u6B21`,odds:"\u516C\u5E03\u7684\u4E2D\u5956\u6982\u7387\uFF0C\u5373\u5B9E\u9645\u4F7F\u7528\u7684\u6982\u7387",prize:"\u5956\u54C1",chance:"\u6982\u7387",exact:"\u53F7\u7801\u6570",left:e=>`\u5269\u4F59 ${e}`,drawsLeft:e=>`\u8FD8\u53EF\u62BD ${e} \u6B21`,pity:e=>e===1?"\u4E0B\u4E00\u6B21\u5FC5\u6709\u5956\u54C1\u3002":`\u6700\u8FDF\u7B2C ${e} \u6B21\u5FC5\u6709\u5956\u54C1\u3002`,won:e=>`\u62BD\u4E2D\uFF1A${e}`,because:{ROLL:"",SOLD_OUT:"\u539F\u5956\u54C1\u5DF2\u53D1\u5B8C\uFF0C\u4EE5\u6B64\u4EE3\u66FF",PITY:"\u8FDE\u7EED\u672A\u4E2D\u7684\u4FDD\u5E95"},mine:"\u6700\u8FD1\u62BD\u5956",committed:"\u672C\u671F\u62BD\u5956\u7531\u4E00\u4E2A\u79CD\u5B50\u51B3\u5B9A\uFF0C\u5176\u6307\u7EB9\u4E3A",reveals:e=>`\u79CD\u5B50\u4E8E ${e} \u516C\u5E03\uFF0C\u5C4A\u65F6\u4EBA\u4EBA\u53EF\u4EE5\u9A8C\u8BC1\u3002`},history:{heading:"\u660E\u7EC6",empty:"\u6682\u65E0\u8BB0\u5F55\u3002",more:"\u663E\u793A\u66F4\u591A",why:"\u4E3A\u4EC0\u4E48\uFF1F",close:"\u6536\u8D77",balance:e=>`\u4F59\u989D ${e}`,setAside:e=>`\u9884\u7559 ${e}`,givenBack:e=>`\u89E3\u9664\u9884\u7559 ${e}`,reversed:"\u5DF2\u64A4\u56DE\u6216\u90E8\u5206\u64A4\u56DE",nothing:"\u6CA1\u6709\u53D8\u52A8",channels:{purchase:"\u8D2D\u7269",sign_in:"\u7B7E\u5230",quest:"\u4EFB\u52A1",badge:"\u5FBD\u7AE0",rewards:"\u5151\u6362",checkout:"\u79EF\u5206\u62B5\u6263",lottery:"\u62BD\u5956",referral:"\u9080\u8BF7\u597D\u53CB",review:"\u8BC4\u4EF7",membership:"\u4F1A\u5458",ledger:"\u8D26\u6237",tiers:"\u7B49\u7EA7",redemption:"\u4F7F\u7528\u79EF\u5206",benefit:"\u6743\u76CA",coupon:"\u4F18\u60E0\u5238",gift:"\u8F6C\u8D60",donation:"\u6350\u8D60",birthday:"\u751F\u65E5",welcome:"\u6B22\u8FCE",operator:"\u5BA2\u670D\u5904\u7406"},kinds:{refund:"\u9000\u6B3E",expire:"\u8FC7\u671F",adjust:"\u5BA2\u670D\u8C03\u6574",reverse:"\u64A4\u56DE",redeem:"\u4F7F\u7528",hold:"\u9884\u7559",release:"\u9000\u56DE",capture:"\u6263\u9664",cancel:"\u53D6\u6D88",draw:"\u62BD\u5956",make_up:"\u8865\u7B7E",freeze:"\u51BB\u7ED3",unfreeze:"\u89E3\u9664\u51BB\u7ED3",enrol:"\u52A0\u5165\u4F1A\u5458"}},refused:{INSUFFICIENT_POINTS:e=>`\u9700\u8981 ${e.number(e.needed)}\uFF0C\u60A8\u6709 ${e.number(e.available)}\u3002`,MEMBER_FROZEN:()=>"\u60A8\u7684\u4F1A\u5458\u5DF2\u88AB\u51BB\u7ED3\uFF0C\u4E0D\u53EF\u64CD\u4F5C\u3002",MEMBER_NOT_ACTIVE:()=>"\u60A8\u7684\u4F1A\u5458\u76EE\u524D\u4E0D\u53EF\u5982\u6B64\u64CD\u4F5C\u3002",ALREADY_SIGNED_IN:e=>`\u4ECA\u65E5\u5DF2\u7B7E\u5230\uFF0C${e.time(e.resetsAt)}\u8D77\u53EF\u518D\u6B21\u7B7E\u5230\u3002`,MAKE_UPS_USED_UP:e=>`\u8865\u7B7E\u6B21\u6570\u5DF2\u7528\u5B8C\uFF0C${e.day(e.resetsAt)}\u8D77\u6062\u590D\u3002`,REWARD_LIMIT_REACHED:e=>e.resetsAt?`\u5DF2\u8FBE\u5151\u6362\u4E0A\u9650\uFF0C${e.day(e.resetsAt)}\u8D77\u53EF\u518D\u5151\u6362\u3002`:"\u5DF2\u8FBE\u5151\u6362\u4E0A\u9650\u3002",REWARD_SOLD_OUT:()=>"\u5DF2\u5151\u5B8C\u3002",REWARD_NOT_YET_OPEN:e=>`${e.time(e.opensAt)}\u5F00\u59CB\u3002`,REWARD_CLOSED:()=>"\u5DF2\u7ED3\u675F\u3002",REWARD_OF_OTHER_TIER:e=>`\u4EC5\u9650 ${e.tiers}\u3002`,REWARD_PRICE_CHANGED:e=>`\u73B0\u4EF7 ${e.number(e.price)} \u79EF\u5206\uFF0C\u8BF7\u518D\u786E\u8BA4\u3002`,LOTTERY_LIMIT_REACHED:e=>e.resetsAt?`\u6B21\u6570\u5DF2\u7528\u5B8C\uFF0C${e.time(e.resetsAt)}\u8D77\u6062\u590D\u3002`:"\u6B21\u6570\u5DF2\u7528\u5B8C\u3002",LOTTERY_NOT_YET_OPEN:e=>`${e.time(e.opensAt)}\u5F00\u59CB\u3002`,LOTTERY_CLOSED:()=>"\u5DF2\u7ED3\u675F\u3002",LOTTERY_OF_OTHER_TIER:e=>`\u4EC5\u9650 ${e.tiers}\u3002`,LOTTERY_PRICE_CHANGED:e=>`\u73B0\u5728\u6BCF\u6B21 ${e.number(e.price)} \u79EF\u5206\uFF0C\u8BF7\u518D\u786E\u8BA4\u3002`,QUEST_ALREADY_DONE:()=>"\u60A8\u5DF2\u9886\u53D6\u3002",QUEST_NOT_REACHED:e=>`\u5C1A\u672A\u5B8C\u6210\uFF1A${e.number(e.current)} / ${e.number(e.required)}\u3002`,CHECKOUT_PRICE_CHANGED:e=>`\u73B0\u9700 ${e.number(e.price)} \u79EF\u5206\uFF0C\u8BF7\u518D\u786E\u8BA4\u3002`,EXCEEDS_CHECKOUT:e=>`\u6B64\u5355\u6700\u591A\u53EF\u7528\u79EF\u5206\u62B5\u6263 ${e.amountMax}\u3002`,INVALID_AMOUNT:()=>"\u8FD9\u4E0D\u662F\u6709\u6548\u7684\u91D1\u989D\u3002"},other:e=>`\u672A\u80FD\u5B8C\u6210\uFF1A${e}`};var yo={en:{words:St,tag:"en-GB",html:"en",locale:"EN"},zh:{words:Ot,tag:"zh-CN",html:"zh-Hans",locale:"ZH"}};function It(e,r){let t=e.searchParams.get("lang");return t==="en"||t==="zh"?t:r.toLowerCase().startsWith("zh")?"zh":"en"}function Tt(e,r){let t=new URL(e);return t.searchParams.set("lang",r),t.href}function bt(e,r){let{timezone:t="UTC",currency:s="",tiers:a=[]}=r??{},{words:n,tag:d,html:_,locale:g}=yo[e],p=new Intl.NumberFormat(d,{maximumFractionDigits:2}),i=new Intl.NumberFormat(d,{style:"percent",maximumSignificantDigits:3}),c=new Intl.DateTimeFormat(d,{timeZone:t,dateStyle:"medium"}),u=new Intl.DateTimeFormat(d,{timeZone:t,dateStyle:"medium",timeStyle:"short"}),m=new Intl.DateTimeFormat(d,{timeZone:"UTC",year:"numeric",month:"long"}),y=new Intl.DateTimeFormat(d,{timeZone:"UTC",weekday:e==="zh"?"narrow":"short"}),U=new Intl.DateTimeFormat("en-CA",{timeZone:t,year:"numeric",month:"2-digit",day:"2-digit"}),f=s?new Intl.NumberFormat(d,{style:"currency",currency:s,currencyDisplay:"narrowSymbol"}):p,R=l=>new Date(`${l}T12:00:00Z`),C=new Intl.DateTimeFormat(d,{timeZone:"UTC",dateStyle:"medium"}),E=l=>p.format(Number(l??0)),h=l=>l?l.length===10?C.format(R(l)):c.format(new Date(l)):"",H=l=>l?u.format(new Date(l)):"",L=l=>n.units[l]??l,w=(l,$)=>n.amount(E(l),L($).toLowerCase());return{language:e,words:n,html:_,locale:g,number:E,percent:l=>i.format(l),money:l=>f.format(Number(l)),digits:f.resolvedOptions().maximumFractionDigits??2,day:h,time:H,month:l=>m.format(R(l)),weekday:l=>y.format(R(l)),dayOf:l=>U.format(new Date(l)),unit:L,amount:w,change:(l,$)=>(l>0?"+":"")+w(l,$).replace("-","\u2212"),list:l=>l.join(e==="zh"?"\u3001":", "),refused:l=>{let $=l.tiers?.split(", ").map(j=>a.find(V=>V.code===j)?.name??j),q={...l,tiers:$?.join(e==="zh"?"\u3001":", "),number:E,day:h,time:H};return n.refused[l.code]?.(q)}}}var fo=8e3,lo=1e3,Pe="laurel:centre",At=new URL(location.href),wt=It(At,navigator.language);async function Co(e){let{viewer:r,programme:t}=await se(e,Kr,{});if(!r?.member||!t)throw new Error("no member");return{token:e,member:r.member,programme:t}}function Eo(){let[e,r]=I(null),[t,s]=I(""),[a,n]=I(!1),d=bt(wt,e?.programme),{words:_}=d,g=ce(async i=>{try{r(await Co(i)),sessionStorage.setItem(Pe,i),s("")}catch(c){c instanceof oe||sessionStorage.removeItem(Pe),s(c instanceof oe?_.welcome.unreachable:c instanceof ie?_.welcome.ended:_.welcome.notMember)}},[]),p=ce(i=>{sessionStorage.removeItem(Pe),s(i?_.welcome.ended:""),r(null)},[]);return Z(()=>{let i=sessionStorage.getItem(Pe);(i?g(i):Promise.resolve()).then(()=>n(!0))},[]),Z(()=>{document.documentElement.lang=d.html,document.title=e?`${_.title} \xB7 ${e.programme.name}`:_.title},[e]),a?e?o(Uo,{session:e,read:d,signOut:p},e.token):o(Ro,{read:d,said:t,enter:g}):o("p",{className:"faint center",children:_.loading})}function vt({read:e}){let r=wt==="zh"?"en":"zh";return o("a",{href:Tt(At,r),lang:r==="zh"?"zh-Hans":"en",hreflang:r,title:e.words.language.switchTo,children:e.words.language.other})}function Ro({read:e,said:r,enter:t}){let{words:s}=e,a=de(),[n,d]=I([]),[_,g]=I(""),[p,i]=I(!1);Z(()=>{at&&_t().then(d,()=>g(s.welcome.noSamples))},[]);let c=async u=>{i(!0);try{await t(await u())}catch{g(s.welcome.noSamples)}finally{i(!1)}};return o("div",{className:"welcome",children:[o("header",{className:"top",children:[o("strong",{children:"Laurel"})," ",o("nav",{children:o(vt,{read:e})})]}),o("main",{children:[o("h1",{children:s.welcome.heading}),o("p",{className:"faint",children:s.welcome.lead}),o("p",{role:"alert",className:"refused",children:r||_}),n.length>0&&o(O,{children:[o("h2",{children:s.welcome.choose}),o("ul",{className:"samples",children:n.map(({externalId:u,tier:m})=>o("li",{children:o("button",{type:"button",disabled:p,onClick:()=>c(()=>it(u)),children:[o("strong",{children:u})," ",o("span",{children:m??s.welcome.noTier})]})},u))})]}),o("form",{onSubmit:u=>{u.preventDefault();let m=String(new FormData(u.currentTarget).get("token")).trim().replace(/^Bearer\s+/i,"");c(async()=>m)},children:[o("label",{htmlFor:a,children:n.length?s.welcome.paste:s.welcome.pasteOnly}),o("input",{id:a,name:"token",required:!0,autocomplete:"off",spellcheck:!1,"aria-describedby":`${a}-help`}),o("p",{id:`${a}-help`,className:"faint",children:s.welcome.help}),o("button",{type:"submit",className:n.length?"quiet":"",disabled:p,children:s.welcome.enter})]})]})]})}function Uo({session:e,read:r,signOut:t}){let{words:s}=r,[a,n]=I(null),[d,_]=Fo(),[g,p]=I("new"),[i,c]=I(!1),u=ce(()=>{mt().then(m=>m&&c(!0),()=>{})},[]);return Z(()=>tt(e.token,e.member.id,{stands:m=>{n(m),p(y=>y==="lost"||y==="back"?"back":"up"),_()},connected:u,down:()=>p("lost"),ended:()=>t(!0)}),[]),Z(()=>{if(g!=="back")return;let m=setTimeout(()=>p("up"),fo);return()=>clearTimeout(m)},[g]),Z(()=>{let m=()=>document.visibilityState==="visible"&&u();return document.addEventListener("visibilitychange",m),()=>document.removeEventListener("visibilitychange",m)},[]),o(O,{children:[o("a",{className:"skip",href:"#main",children:s.skip}),o("header",{className:"top",children:[o("strong",{children:e.programme.name}),o("span",{className:`line-state ${g}`,children:g==="lost"?s.bar.lost:s.bar.live}),o("nav",{children:[o("span",{className:"faint",children:[s.bar.member," ",e.member.externalId]}),o(vt,{read:r}),o("button",{type:"button",className:"link",onClick:()=>t(!1),children:s.bar.signOut})]})]}),o("div",{className:"notes",children:[o("p",{role:"status",className:g==="lost"?"note warning":g==="back"?"note fading":"hidden",children:g==="lost"?s.line.lost:g==="back"?s.line.back:""}),o("div",{role:"status",className:i?"note":"hidden",children:i&&o(O,{children:[s.upgraded.text," ",o("button",{type:"button",onClick:()=>location.reload(),children:s.upgraded.reload})]})})]}),o("main",{id:"main",tabIndex:-1,children:[o("h1",{className:"hidden",children:s.title}),a?o(st,{value:{...e,reading:r,standing:a,moved:d,signOut:t,doubt:u},children:[o(No,{standing:a,read:r}),o("div",{className:"parts",children:[o(ft,{}),o(ht,{}),o(Ut,{}),o(lt,{}),o(gt,{}),o(Ct,{}),o(pt,{}),o(ct,{}),o(ut,{})]})]}):o("p",{className:"faint center",children:s.loading})]})]})}function Fo(){let[e,r]=I(0),t=Ce({last:0});Z(()=>()=>clearTimeout(t.current.timer),[]);let s=ce(()=>{let a=t.current;clearTimeout(a.timer);let n=()=>{a.last=Date.now(),r(_=>_+1)},d=a.last+lo-Date.now();d>0?a.timer=setTimeout(n,d):n()},[]);return[e,s]}function No({standing:e,read:r}){let{words:t}=r,{freeze:s,status:a}=e;return a==="ACTIVE"&&!s?null:o("section",{className:"note warning frozen",role:"alert",children:[o("h2",{children:a==="CLOSED"?t.frozen.closed:t.frozen.heading}),o("p",{children:[a!=="CLOSED"&&t.frozen[s?.scope??"BOTH"]," ",s?.until&&t.frozen.until(r.time(s.until))," ",t.frozen.ask]})]})}fr(o(Eo,{}),document.querySelector("#centre"));
